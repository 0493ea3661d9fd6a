// @ts-check
// Change a leaf, or cut an edge: a small autograd engine computes the graph anew.

{
  /** @type {FindAll} */
  const all = (query, from = document) => Array.from(from.querySelectorAll(query));
  const { abs, exp, log, sin, cos } = Math;
  const number = /-?(\d[\d.e+-]*|nan|inf)/g;
  /** By operation: its value, the derivative by each operand.
   * @type {Record<string, ((a: number, b: number, y: number) => number)[] | undefined>} */
  const ops = {
    "+": [(a, b) => a + b, () => 1, () => 1],
    "*": [(a, b) => a * b, (a, b) => b, (a) => a],
    "^": [(a, b) => a ** b, (a, b) => b * a ** (b - 1)],
    exp: [exp, exp],
    log: [log, (a) => 1 / a],
    sin: [sin, cos],
    sigmoid: [(a) => 1 / (1 + exp(-a)), (a, b, y) => y - y * y],
    relu: [(a) => (a > 0 ? a : 0), (a) => +(a > 0)],
  };

  /** @type {(a: number | null, b: number | null) => number | null} */
  const plus = (a, b) => (b == null ? a : (a ?? 0) + b);

  /** Return values and adjoints; nothing is sent to where no path leads to a leaf.
   * @type {(tape: Tape, v: number[], leaves: number[], cut?: number[]) => LeavesForm["made"]} */
  const run = ({ code, seeds, dtype }, v, leaves, cut = []) => {
    /** @type {boolean[]} */
    const live = [];
    const end = dtype == "float32" ? 2 ** 128 - 2 ** 103 : 1 / 0;
    const fit = (/** @type {number} */ x) => (abs(x) < end ? x : x / 0);
    const g = code.map(([op, i, j], k) => {
      const rule = ops[op];
      v[k] ??= rule ? fit(rule[0](v[i], v[j], v[k])) : +op;
      live[k] = !cut.includes(k) && (leaves.includes(k) || live[i] || live[j]);
      return live[k] || !rule ? (seeds[k] ?? null) : null;
    });
    for (let k = g.length; k--; ) {
      const [op, ...from] = code[k];
      const [rule, upstream] = [ops[op], g[k]];
      if (!rule || upstream == null) continue;
      const [a, b] = from.map((i) => v[i]);
      from.forEach((i, at) => {
        if (live[i]) g[i] = fit((g[i] ?? 0) + fit(upstream * rule[at + 1](a, b, v[k])));
      });
    }
    return [v, g];
  };

  /** Return a number as PyTorch calls it, with inf and nan. @type {(x: number) => string} */
  const short = (x) => String(+x.toPrecision(x % 1 ? 4 : 9)).replace("Infinity", "inf").replace("NaN", "nan");

  /** @type {LeavesForm[]} */
  const forms = all(".ag-leaves");
  forms.forEach((form, which) => {
    const figure = form.parentElement ?? form;
    /** @type {Recorded} */
    const { tape } = JSON.parse(all(".ag-data", figure)[0].textContent);
    /** @type {HTMLInputElement[]} */
    const inputs = all("[size]", form);
    /** @type {HTMLInputElement[]} */
    const [predict, ...edges] = all("[type=checkbox]", figure);
    const slotsOf = (/** @type {string} */ name) => tape.places[name][1];
    const changed = inputs.flatMap(({ name }) => slotsOf(name));
    /** @returns {(HTMLElement | SVGElement)[]} */
    const parts = (/** @type {string} */ query) => all(query, figure);
    /** @type {Map<Element, string>} */
    const texts = new Map(); // as the build wrote them
    const said = document.createElement("div");
    said.role = "status";
    said.id = "ag-fault-" + which;
    form.append(said);
    form.hidden = false;
    form.made = run(tape, [], changed);
    form.at = (place) => {
      const [kind, ...lists] = tape.places[place] ?? [0];
      const none = /** @type {number | null} */ (null);
      return lists[0]?.map((_, i) => lists.reduce((sum, list) => plus(sum, form.made[kind][list[i]]), none));
    };
    const compute = () => {
      /** @type {number[]} */
      const leaves = [];
      const faults = inputs.map((input) => {
        const slots = slotsOf(input.name);
        const { numbers, fault } = readNumbers(input.value, slots.length);
        slots.forEach((k, i) => (leaves[k] = numbers[i]));
        input.ariaInvalid = String(!!fault);
        input[fault ? "setAttribute" : "removeAttribute"]("aria-describedby", said.id);
        return { fault, count: slots.length };
      });
      const { fault = "", count } = faults.find((it) => it.fault) ?? {};
      sayFault(said, fault, count);
      if (fault) return;
      const cut = edges.filter((edge) => edge.checked);
      predict.disabled = cut.length > 0; // the order of turns is that of the whole graph
      form.made = run(tape, leaves, changed, cut.flatMap(({ name }) => slotsOf(name)));
      for (const it of parts("[data-edge]"))
        it.classList.toggle("ag-cut", cut.some(({ name }) => name == "s" + it.dataset.edge));
      for (const it of parts("[data-v]")) {
        const { v = "" } = it.dataset;
        const sums = form.at(v);
        if (!sums || / numbers?$/.test(it.textContent)) continue;
        const old = texts.get(it) ?? it.textContent.replace(/[()]/g, "");
        texts.set(it, old);
        if (sums.length && sums.every((x) => x == null)) {
          it.textContent = old.replace(/([-\d[]|nan|inf).*/, v[0] == "r" ? "None" : "nothing");
          continue;
        }
        const [head, tail = 0] = old.split("…").map((part) => part.match(number)?.length ?? 0);
        sums.splice(head, sums.length - head - tail);
        const text = old.replace(number, () => short(sums.shift() ?? 0));
        const { previousSibling: beside } = it;
        const before = beside instanceof Text ? beside.data : "";
        it.textContent = (before + text).replace(/(?<=(cos|[·+−/n]) ?)-\S*$/, "($&)").slice(before.length);
      }
      all("[type=range]", figure)[0].dispatchEvent(new Event("input"));
    };
    for (const edge of edges)
      for (const wire of parts(`.ag-edge[data-edge="${edge.name.slice(1)}"]`)) {
        const hit = wire.children[0].cloneNode();
        hit.classList.add("ag-hit");
        hit.addEventListener("click", () => edge.click());
        wire.append(hit);
      }
    form.oninput = compute;
    form.onreset = () => void setTimeout(compute);
  });
}
