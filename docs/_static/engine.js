// @ts-check
// Change a leaf, or cut an edge: a small autograd engine computes the graph anew.

{
  const { abs, exp, log, sin, cos } = Math;
  const number = /-?(\d[\d.e+-]*|NaN|Infinity)/g;
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

  const plus = (a, b) => (b == null ? a : (a ?? 0) + b);

  /** Return values and adjoints; nothing is sent to where no path leads to a leaf. */
  const run = ({ code, seeds, dtype }, v, leaves, cut = []) => {
    const live = [];
    const end = dtype == "float32" ? 2 ** 128 - 2 ** 103 : 1 / 0;
    const fit = (x) => (abs(x) < end ? x : x / 0);
    const g = code.map(([op, i, j], k) => {
      v[k] ??= ops[op] ? fit(ops[op][0](v[i], v[j])) : op;
      live[k] = !cut.includes(k) && (leaves.includes(k) || live[i] || live[j]);
      return live[k] || !ops[op] ? seeds[k] : null;
    });
    for (let k = g.length; k--; ) {
      const [op, ...from] = code[k];
      const [a, b] = from.map((i) => v[i]);
      from.forEach((i, at) => {
        if (live[i] && g[k] != null) g[i] = fit(plus(g[i], fit(g[k] * ops[op][at + 1](a, b, v[k]))));
      });
    }
    return [v, g];
  };

  /** @type {any} */ (document.querySelectorAll(".ag-leaves")).forEach((form, which) => {
    const figure = form.parentElement;
    const { tape } = JSON.parse(figure.querySelector(".ag-data").textContent);
    const inputs = form.querySelectorAll("[size]");
    const [predict, ...edges] = figure.querySelectorAll("[type=checkbox]");
    const slotsOf = (name) => tape.places[name][1];
    const all = [...inputs].flatMap(({ name }) => slotsOf(name));
    const said = document.createElement("div");
    said.role = "status";
    said.id = "ag-fault-" + which;
    form.append(said);
    form.hidden = false;
    form.made = run(tape, [], all);
    /** The numbers of one place of the text version; nulls where nothing came. */
    form.at = (place) => {
      const [adjoint, ...lists] = tape.places[place] ?? [];
      return lists[0]?.map((_, i) => lists.reduce((sum, list) => plus(sum, form.made[adjoint][list[i]]), null));
    };
    form.oninput = () => {
      const leaves = [];
      const faults = [...inputs].map((input) => {
        const slots = slotsOf(input.name);
        const { numbers, fault } = readNumbers(input.value, slots.length);
        slots.forEach((k, i) => (leaves[k] = numbers[i]));
        input.ariaInvalid = !!fault;
        input[fault ? "setAttribute" : "removeAttribute"]("aria-describedby", said.id);
        return [fault, slots.length];
      });
      const [fault, count] = faults.find(([fault]) => fault) ?? [];
      sayFault(said, fault, count);
      if (fault) return;
      const cut = edges.filter((edge) => edge.checked);
      predict.disabled = cut.length > 0; // the order of turns is that of the whole graph
      form.made = run(tape, leaves, all, cut.flatMap(({ name }) => slotsOf(name)));
      for (const it of figure.querySelectorAll("[data-edge]"))
        it.classList.toggle("ag-cut", cut.some(({ name }) => name == "s" + it.dataset.edge));
      for (const it of figure.querySelectorAll("[data-v]")) {
        const sums = form.at(it.dataset.v);
        if (!sums || / numbers?$/.test(it.textContent)) continue;
        const old = (it.was ??= it.textContent.replace(/[()]/g, ""));
        if (sums.length && sums.every((x) => x == null)) {
          it.textContent = old.replace(/[-\d[].*/, it.dataset.v[0] == "r" ? "None" : "nothing");
          continue;
        }
        const [head, tail = 0] = old.split("…").map((part) => part.match(number)?.length);
        sums.splice(head, sums.length - head - tail);
        const text = old.replace(number, () => ((x) => +x.toPrecision(x % 1 ? 4 : 9))(sums.shift() ?? 0));
        const before = it.previousSibling?.data ?? "";
        it.textContent = (before + text).replace(/(?<=(cos|[·+−/n]) ?)-\S*$/, "($&)").slice(before.length);
      }
      figure.querySelector("[type=range]").dispatchEvent(new Event("input"));
    };
    for (const edge of edges)
      for (const wire of figure.querySelectorAll(`.ag-edge[data-edge="${edge.name.slice(1)}"]`)) {
        const hit = wire.firstChild.cloneNode();
        hit.classList.add("ag-hit");
        hit.onclick = () => edge.click();
        wire.append(hit);
      }
    form.onreset = () => setTimeout(form.oninput);
  });
}
