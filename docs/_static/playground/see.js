// @ts-check
// See the program's function along one entry of a leaf, or over two; check gradients by differences.

(() => {
  /** @type {FindAll} */
  const all = (query, from = document) => Array.from(from.querySelectorAll(query));
  /** @type {HTMLDetailsElement[]} */
  const [box] = all(".pg-see");
  /** @type {HTMLSelectElement[]} */
  const [first, second, step] = all("select", box);
  const [plot, caption, most, body] = all("svg, figcaption, [role=status], tbody", box);
  const { one, safe } = drawing;
  const REACH = 2; // so far to each side
  const SIZE = 300; // of the plot, in its own units; around it stands room for numbers
  const EDGE = 46;
  const FINE = 120;
  const GRID = 28;
  const LEVELS = 9;
  let program = "";
  let what = ""; // is seen
  /** An entry of a leaf: where it stands, its number, the gradient's there.
   * @typedef {{ name: string, id: number, i: number, at: number, whole: Float64Array, slope: number }} Entry */
  /** @type {Entry[]} */
  let entries = [];
  /** @type {Done | null} */
  let ran = null; // what the fields do not offer yet: nobody looks

  /** The entries of all leaves, as Python names them. @type {(result: Done) => Entry[]} */
  function list({ nodes, leaves }) {
    return leaves.flatMap((id) => {
      const node = nodes[id];
      return [...node.value].map((at, i) => {
        const place = tensors.strides(node.shape).map((step, d) => Math.floor(i / step) % node.shape[d]);
        const name = node.names[0] + (place.length ? `[${place.join(", ")}]` : "");
        return { name, id, i, at, whole: node.value, slope: node.grad?.[i] ?? 0 };
      });
    });
  }

  /** The output, times its upstream gradient and summed, where entries have other values; nan where there is none.
   * @type {(...changes: [Entry, number][]) => number} */
  function value(...changes) {
    /** @type {Record<number, Float64Array>} */
    const leaves = {};
    for (const [{ id, i, whole }, x] of changes) (leaves[id] ??= Float64Array.from(whole))[i] = x;
    const { fault, nodes, output, seed } = playground.run(program, { leaves, without: true });
    return fault ? NaN : nodes[output].value.reduce((sum, y, i) => sum + y * seed[i], 0);
  }

  /** @type {(from: number, to: number) => (x: number) => number} */
  const scale = (from, to) => (x) => ((x - from) / (to - from)) * SIZE;
  const at = (/** @type {number} */ x) => x.toFixed(1);
  /** @type {(x: number, y: number, words: string, anchor: string) => string} */
  const text = (x, y, words, anchor) => `<text x="${at(x)}" y="${at(y)}" text-anchor="${anchor}">${safe(words)}</text>`;
  /** @type {(a: Entry, low: string, high: string) => string} */
  const frame = (a, low, high) =>
    `<rect class="mv-grid" width="${SIZE}" height="${SIZE}" fill="none"/><g class="mv-ink">` +
    text(0, SIZE + 18, one(a.at - REACH), "start") +
    text(SIZE / 2, SIZE + 18, a.name, "middle") +
    text(SIZE, SIZE + 18, one(a.at + REACH), "end") +
    text(-6, SIZE, low, "end") +
    text(-6, 12, high, "end") +
    "</g>";

  /** Where an entry is asked about, in n steps. @type {(a: Entry, n: number) => number[]} */
  const points = (a, n) => Array.from({ length: n + 1 }, (_, i) => a.at - REACH + (2 * REACH * i) / n);

  /** A curve with its tangent. @type {(a: Entry) => string} */
  function along(a) {
    const xs = points(a, FINE);
    const ys = xs.map((x) => value([a, x]));
    const here = value([a, a.at]);
    const known = [...ys, here].filter(isFinite);
    const [low, high] = [Math.min(...known), Math.max(...known)];
    const room = (high - low || 1) * 0.08;
    const [x, y] = [scale(a.at - REACH, a.at + REACH), scale(high + room, low - room)];
    const curve = xs.map((u, i) => isFinite(ys[i]) ? `${isFinite(ys[i - 1]) ? "L" : "M"}${at(x(u))} ${at(y(ys[i]))}` : "");
    const line = (/** @type {number} */ u) => `${at(x(u))} ${at(y(here + a.slope * (u - a.at)))}`;
    const drawn = isFinite(a.slope) && isFinite(here);
    plot.innerHTML =
      frame(a, one(+low.toPrecision(3)), one(+high.toPrecision(3))) +
      `<svg width="${SIZE}" height="${SIZE}" fill="none" stroke-width="2"><path class="mv-1" d="${curve.join("")}"/>` +
      (drawn ? `<path class="mv-2" stroke-dasharray="7 4" d="M${line(a.at - REACH)}L${line(a.at + REACH)}"/>` : "") +
      (isFinite(here) ? `<circle class="mv-2" cx="${at(x(a.at))}" cy="${at(y(here))}" r="4"/>` : "") +
      "</svg>";
    const words = `The ${what} as ${a.name} changes. `;
    const where = `at ${a.name} = ${one(a.at)}, `;
    const slope = `the gradient's entry ${one(a.slope)}`;
    if (!drawn) return `${words}No tangent is drawn ${where}with the value ${one(here)} and ${slope}.`;
    return `${words}The dashed line, ${where}has ${slope} as its slope: a tangent, unless there is a kink, or something is detached.`;
  }

  /** Where a level crosses the sides of a cell: marching squares. @type {(grid: number[][], z: number) => string} */
  function level(grid, z) {
    /** @type {string[]} */
    const parts = [];
    for (let i = 0; i < GRID; i++)
      for (let j = 0; j < GRID; j++) {
        const corners = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]];
        const cut = corners.flatMap(([u, v], k) => {
          const [s, t] = corners[(k + 1) % 4];
          const [from, to] = [grid[u][v], grid[s][t]];
          if (from < z == to < z || !isFinite(from - to)) return [];
          const part = (z - from) / (to - from);
          return [`${at(((u + part * (s - u)) / GRID) * SIZE)} ${at(SIZE - ((v + part * (t - v)) / GRID) * SIZE)}`];
        });
        for (let k = 0; k + 1 < cut.length; k += 2) parts.push(`M${cut[k]}L${cut[k + 1]}`);
      }
    return parts.join("");
  }

  /** Contours, and the gradient as an arrow across them. @type {(a: Entry, b: Entry) => string} */
  function over(a, b) {
    const grid = points(a, GRID).map((u) => points(b, GRID).map((v) => value([a, u], [b, v])));
    const known = grid.flat().filter(isFinite);
    const [low, high] = [Math.min(...known), Math.max(...known)];
    const levels = Array.from({ length: LEVELS }, (_, k) => low + ((k + 0.5) / LEVELS) * (high - low));
    const far = Math.hypot(a.slope, b.slope);
    const [dx, dy] = [(a.slope / far) * 60, (-b.slope / far) * 60];
    const [x, y] = [SIZE / 2 + dx, SIZE / 2 + dy];
    const side = (/** @type {number} */ s) => `${at(x - dx * 0.16 - s * dy * 0.1)} ${at(y - dy * 0.16 + s * dx * 0.1)}`;
    const arrow = far && isFinite(far) ? `M${SIZE / 2} ${SIZE / 2}L${at(x)} ${at(y)}M${side(1)}L${at(x)} ${at(y)}L${side(-1)}` : "";
    plot.innerHTML =
      frame(a, one(b.at - REACH), one(b.at + REACH)) +
      `<g class="mv-ink" transform="rotate(-90)">${text(-SIZE / 2, -26, b.name, "middle")}</g>` +
      `<g fill="none">${levels.map((z, k) => `<path class="mv-1" stroke-width="1.4" opacity="${at(0.35 + (0.65 * k) / LEVELS)}" d="${level(grid, z)}"/>`).join("")}` +
      `<path class="mv-2" stroke-width="2.5" d="${arrow}"/><circle class="mv-2" cx="${SIZE / 2}" cy="${SIZE / 2}" r="4"/></g>`;
    const words = `Lines of equal ${what}, from ${one(+levels[0].toPrecision(3))} (faint) to ${one(+levels[LEVELS - 1].toPrecision(3))}.`;
    const gradient = `(${one(a.slope)}, ${one(b.slope)})`;
    if (!arrow) return `${words} The gradient ${gradient} has no direction, so there is no arrow.`;
    return `${words} The arrow has the direction of the gradient ${gradient}: across them, unless there is a kink, or something is detached.`;
  }

  /** @type {(x: number, words?: string) => string} */
  const small = (x, words = x.toExponential(1)) => (x && isFinite(x) ? words : one(x + 0)); // without the sign of -0

  /** One row for each entry: autograd's number, that of differences, how far apart. */
  function differences() {
    const h = +step.value;
    /** @type {number[]} */
    const apart = [];
    body.innerHTML = entries
      .map((a) => {
        const slope = (value([a, a.at + h]) - value([a, a.at - h])) / (2 * h);
        const far = Math.abs(slope - a.slope);
        apart.push(far);
        const cells = [one(a.slope), small(slope, slope.toPrecision(8)), small(far)];
        return `<tr><th scope="row">${safe(a.name)}</th>${cells.map((it) => `<td>${it.replace("-", "−")}</td>`).join("")}</tr>`;
      })
      .join("");
    const far = Math.max(...apart); // of none: -inf
    most.textContent = isFinite(far) ? `At most ${small(far)} apart.` : far < 0 ? "" : "No difference can be told with inf or nan.";
  }

  function see() {
    const [a, b] = [first, second].map((it) => entries[parseInt(it.value)]);
    if (!a) plot.innerHTML = "";
    caption.textContent = !a ? "No leaf with a name has a .grad." : b && b != a ? over(a, b) : along(a);
    differences();
  }

  /** @type {(select: HTMLSelectElement, options: HTMLOptionElement[]) => void} */
  function offer(select, options) {
    const chosen = select.value;
    select.replaceChildren(...options);
    select.value = chosen;
    if (select.selectedIndex < 0) select.selectedIndex = 0;
  }

  function look() {
    if (!box.open) return;
    if (ran) {
      entries = list(ran);
      what = String(ran.seed) == "1" ? "output" : "sum of the output's entries, each times its upstream gradient,";
      ran = null;
      const options = () => entries.map(({ name }, k) => new Option(name, String(k)));
      offer(first, options());
      offer(second, [new Option("nothing else", ""), ...options()]);
    }
    see();
  }

  const [form] = all(".pg-write");
  /** @type {HTMLTextAreaElement[]} */
  const [written] = all("textarea", form);
  form.addEventListener("ran", ({ detail }) => {
    ran = detail;
    program = written.value;
    look();
  });
  for (const input of [first, second]) input.onchange = see;
  step.onchange = differences; // the caption stays as it is, and is not read out again
  box.ontoggle = look;
  plot.setAttribute("viewBox", `${-EDGE} -4 ${SIZE + EDGE + 8} ${SIZE + 28}`);
})();
