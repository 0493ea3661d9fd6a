// @ts-check
// Change a leaf: a small autograd engine computes the graph anew.

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

  /** Return values and adjoints. */
  const run = ({ code, seeds, dtype }, v) => {
    const end = dtype == "float32" ? 2 ** 128 - 2 ** 103 : 1 / 0;
    const fit = (x) => (abs(x) < end ? x : x / 0);
    const g = code.map(([op, i, j], k) => {
      v[k] ??= ops[op] ? fit(ops[op][0](v[i], v[j])) : op;
      return seeds[k] ?? 0;
    });
    for (let k = g.length; k--; ) {
      const [op, ...from] = code[k];
      const [a, b] = from.map((i) => v[i]);
      from.forEach((i, at) => (g[i] = fit(g[i] + fit(g[k] * ops[op][at + 1]?.(a, b, v[k])))));
    }
    return [v, g];
  };

  /** @type {any} */ (document.querySelectorAll(".ag-leaves")).forEach((form, which) => {
    const figure = form.parentElement;
    const { tape } = JSON.parse(figure.querySelector(".ag-data").textContent);
    const inputs = form.querySelectorAll("input");
    const said = document.createElement("div");
    said.role = "status";
    said.id = "ag-fault-" + which;
    form.append(said);
    form.hidden = false;
    form.made = run(tape, []);
    /** The numbers of one place of the text version. */
    form.at = (place) => {
      const [adjoint, ...lists] = tape.places[place] ?? [];
      return lists[0]?.map((_, i) => lists.reduce((sum, list) => sum + form.made[adjoint][list[i]], 0));
    };
    form.oninput = () => {
      const leaves = [];
      const faults = [...inputs].map((input) => {
        const [, slots] = tape.places[input.name];
        const { numbers, fault } = readNumbers(input.value, slots.length);
        slots.forEach((k, i) => (leaves[k] = numbers[i]));
        input.ariaInvalid = !!fault;
        input[fault ? "setAttribute" : "removeAttribute"]("aria-describedby", said.id);
        return [fault, slots.length];
      });
      const [fault, count] = faults.find(([fault]) => fault) ?? [];
      sayFault(said, fault, count);
      if (fault) return;
      form.made = run(tape, leaves);
      for (const it of figure.querySelectorAll("[data-v]")) {
        const sums = form.at(it.dataset.v);
        if (!sums || it.textContent.endsWith(" numbers")) continue;
        const old = it.textContent.replace(/[()]/g, "");
        const [head, tail = 0] = old.split("…").map((part) => part.match(number)?.length);
        sums.splice(head, sums.length - head - tail);
        const text = old.replace(number, () => ((x) => +x.toPrecision(x % 1 ? 4 : 9))(sums.shift()));
        const before = it.previousSibling?.data ?? "";
        it.textContent = (before + text).replace(/(?<=(cos|[·+−/n]) ?)-\S*$/, "($&)").slice(before.length);
      }
      figure.querySelector("[type=range]").dispatchEvent(new Event("input"));
    };
    form.onreset = () => setTimeout(form.oninput);
  });
}
