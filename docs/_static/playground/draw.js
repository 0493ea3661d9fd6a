// @ts-check
// Draw a program that has run, and tell its steps, as the build draws and tells a graph.

const drawing = (() => {
  const FONT = "system-ui,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";
  const STEP = 18; // pixels from line to line
  const PAD = 11; // around a text
  const GAP = 16; // between what stands side by side
  const [DOWN, FLAT] = [20, 14]; // between layers, which labels keep apart as well
  const MANY = 20; // boxes: so many are not tried in each way
  const MOST = [40, 40, 24, 16]; // characters of a line, and where there is less and less room
  /** @type {Record<string, [says: string, look: string]>} */
  const ROLES = {
    leaf: ["leaf: keeps .grad", 'fill="#dcebfa" stroke="#1b62a5"'],
    op: ["operation", 'fill="#f1f1f1" stroke="#5a5a5a"'],
    root: ["output", 'fill="#dff3e0" stroke="#1e7a34"'],
  };
  const RED = ' class="ag-grad" fill="#b00020"';
  // The rules of utils/torchutils/rules.py, which names their source.
  /** @type {Record<string, string[] | undefined>} */
  const RULES = {
    add: ["g", "g"],
    sub: ["g", "−g"],
    rsub: ["−g", "g"],
    mul: ["g · b", "g · a"],
    div: ["g / b", "−g · a / b²"],
    pow: ["g · b · a^(b − 1)"],
    neg: ["−g"],
    reciprocal: ["−g · out²"],
    dot: ["g · b", "g · a"],
    mv: ["g bᵀ", "aᵀ g"],
    mm: ["g bᵀ", "aᵀ g"],
    t: ["gᵀ"],
    sum: ["g, copied to each"],
    mean: ["g / count, copied to each"],
    exp: ["g · out"],
    log: ["g / a"],
    sin: ["g · cos a"],
    cos: ["−g · sin a"],
    tanh: ["g · (1 − out²)"],
    sigmoid: ["g · out · (1 − out)"],
    sqrt: ["g / (2 · out)"],
    relu: ["0 where a ≤ 0, else g"],
    abs: ["g · sign a"],
    clone: ["g"],
  };
  const SPREAD = ["add", "sub", "rsub", "mul", "div", "pow"];
  const SYMMETRIC = ["add", "mul", "dot", "maximum", "minimum"];

  /**
   * @typedef {[step: number, place: string, text: string]} Stated what a line says from a step on, in which place
   * @typedef {[text: string, look: string, stated?: Stated[]]} Line of a box or on an edge: its role, or attributes
   * @typedef {{ lines: Line[], width: number }} Label of an edge
   * @typedef {{ src: number, dst: number, arg: number, out: 0, sent: string, path: Item[] }} Edge from box to box
   * @typedef {{ node: number, text: string, edge?: number, to?: number, ask?: string, place?: string }} Step
   * @typedef {[number, number]} Point
   */
  /** What stands in a layer, a box or a bend of an edge: its neighbours, its place in the layer's order, where it wants
   * to be and is, how far it reaches along the layer and across.
   * @typedef {{ node?: number, edge?: number, row: number, label?: boolean, from: Item[], to: Item[], i: number, want: number,
   *   shift: number, before: number, after: number, deep: number, x: number, y: number, half: number }} Item
   * @typedef {{ rows: Item[][], items: Item[] }} Layers with the items of the boxes, by node
   * @typedef {{ width: number, height: number, point: (x: number, y: number) => Point, flat: boolean }} Space
   */
  /** What is drawn and told; then how: in layers, with what stands in each box and on each edge.
   * @typedef {{ boxes: Ran[], edges: Edge[], steps: Step[], count: number, numbers: Record<string, number[]>,
   *   texts: Record<string, string>, shapes: number[][], title: (k: number) => string, facts: (k: number) => string,
   *   attributes: (k: number) => string[], ordered: (k: number) => boolean }} Told
   * @typedef {{ lines: Line[][], sizes: Point[], labels: Label[] }} Measured
   * @typedef {Measured & { layers: Layers }} Laid
   */

  const pen = new OffscreenCanvas(1, 1).getContext("2d");
  /** @type {Record<number, Map<string, number>>} */
  const advances = { 400: new Map(), 600: new Map() };
  /** How far a letter moves the pen in this weight, per pixel of the font's size; asked once.
   * @type {(letter: string, weight: number) => number} */
  function advance(letter, weight) {
    const known = advances[weight].get(letter);
    if (known !== undefined || !pen) return known ?? 0;
    pen.font = `${weight} 100px ${FONT}`;
    const asked = pen.measureText(letter).width / 100;
    advances[weight].set(letter, asked);
    return asked;
  }
  /** The room that a line needs, in pixels. @type {(text: string, size?: number) => number} */
  const wide = (text, size = 13) => {
    let sum = 0;
    for (const letter of text) sum += advance(letter, size == 14 ? 600 : 400);
    return sum * size;
  };
  const safe = (/** @type {string} */ text) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
  let most = MOST[0];
  const cut = (/** @type {string} */ text) => (text.length > most ? text.slice(0, most - 1) + "…" : text);
  const at = (/** @type {number} */ x) => String(Math.round(x * 10) / 10);

  // Numbers as text: whole ones exact, others with four digits, as Python's %.4g.
  /** @type {(x: number) => string} */
  function one(x) {
    if (!Number.isFinite(x)) return x > 0 ? "inf" : x < 0 ? "-inf" : "nan";
    if (Object.is(x, -0)) return "-0";
    if (Number.isInteger(x) && Math.abs(x) < 1e7) return String(x);
    // Python rounds a tie to even; what is one in all its digits is one in the shortest.
    const tie = /^(-?\d\.\d\d[02468])5(e.*)$/.exec(x.toExponential());
    if (tie && /^-?\d\.\d{4}0+e/.test(x.toExponential(60))) x = +(tie[1] + tie[2]);
    const [digits, power] = x.toExponential(3).split("e");
    if (+power >= -4 && +power < 4) return String(+x.toPrecision(4));
    return `${+digits}e${power[0]}${power.slice(1).padStart(2, "0")}`;
  }

  /** @type {(numbers: Entries, shape: number[]) => string} */
  function nested(numbers, [size, ...rest]) {
    if (size === undefined) return one(numbers[0]);
    const each = numbers.length / (size || 1);
    const parts = Array.from({ length: size }, (_, i) => nested(numbers.slice(i * each, (i + 1) * each), rest));
    return `[${parts.join(", ")}]`;
  }

  /** A value as text; what is too long loses numbers in its middle.
   * @type {(numbers: Entries, shape: number[], width?: number) => string} */
  function show(numbers, shape, width = 44) {
    const text = nested(numbers, shape);
    if (text.length <= width) return text;
    const first = text.slice(0, width / 2).replace(/, [^ ]*$/, "");
    return `${first}, …, ${text.slice(-width / 3).replace(/^.*?, /, "")}`;
  }

  const size = (/** @type {number[]} */ shape) => (shape.length ? `(${shape.join(", ")}${shape.length == 1 ? "," : ""})` : "scalar");

  /** What autograd has recorded behind the output: nodes, numbered from there, and edges.
   * @type {(result: Done) => { boxes: Ran[], edges: Edge[] }} */
  function recorded({ nodes, output }) {
    const ids = [output];
    /** @type {Edge[]} */
    const edges = [];
    for (let dst = 0; dst < ids.length; dst++) {
      const node = nodes[ids[dst]];
      if (node.leaf) continue;
      node.inputs.forEach((input, arg) => {
        if (!nodes[input].requires) return;
        let src = ids.indexOf(input);
        if (src < 0) src = ids.push(input) - 1;
        edges.push({ src, dst, arg, out: 0, sent: "", path: [] });
      });
    }
    return { boxes: ids.map((id) => nodes[id]), edges };
  }

  /** The order of execution, leaves first; and the engine's: leaves, else what ran last.
   * @type {(boxes: Ran[], edges: Edge[]) => { forward: number[], backward: number[] }} */
  function orders(boxes, edges) {
    const all = [...boxes.keys()];
    const forward = [
      ...all.filter((k) => boxes[k].leaf),
      ...all.filter((k) => !boxes[k].leaf).sort((j, k) => boxes[j].id - boxes[k].id),
    ];
    const waits = all.map((k) => edges.filter(({ src }) => src == k).length);
    const ready = [0];
    /** @type {number[]} */
    const backward = [];
    while (ready.length) {
      const leaf = ready.findIndex((k) => boxes[k].leaf);
      const last = ready.reduce((best, k, i) => (boxes[k].id > boxes[ready[best]].id ? i : best), 0);
      const [next] = ready.splice(leaf < 0 ? last : leaf, 1);
      backward.push(next);
      for (const { src, dst } of edges) if (dst == next && !--waits[src]) ready.push(src);
    }
    return { forward, backward };
  }

  /** @type {(place: string, text: string) => string} */
  const mark = (place, text) => `\x02${place}\x03${text}\x04`;
  const bracketed = (/** @type {string} */ text) => text.replace(/((?:cos|[·+−/n]) ?\x02\w+\x03)(-.*?)(?=\x04)/g, "$1($2)");

  /** What happens, in words, with the places of its numbers; all of it, or as `draw` is told.
   * @type {(result: Done, seen: Seen) => Told} */
  function told(result, { seen, bare }) {
    const { nodes } = result;
    const { boxes, edges } = recorded(result);
    const order = orders(boxes, edges);
    /** @type {Record<string, number[]>} */
    const numbers = {}; // by place: v0 a value, a0 an adjoint, s1 what edge 1 sent, p1 the sum then
    const shapes = boxes.map((box) => box.shape);
    /** @type {Record<string, string>} */
    const texts = {}; // the same as words
    /** @type {(place: string, values: Entries, k: number) => string} */
    const put = (place, values, k) => {
      numbers[place] ??= [...values];
      return mark(place, (texts[place] ??= bare && !boxes[k].leaf ? "?" : show(values, shapes[k])));
    };
    // torch records a product by the ranks of its operands.
    const ranks = (/** @type {number} */ k) => boxes[k].inputs.map((id) => nodes[id].shape.length).join(" ");
    /** @type {Record<string, string | undefined>} */
    const products = { "1 1": "dot", "2 1": "mv", "2 2": "mm" };
    const ops = boxes.map(({ op }, k) => (op == "matmul" && products[ranks(k)]) || op);
    const ref = (/** @type {number} */ k) => boxes[k].names[0] ?? `#${k}`;
    const title = (/** @type {number} */ k) => [boxes[k].names.join(", ") || `#${k}`, ...(boxes[k].leaf ? [] : [ops[k]])].join(" = ");
    const into = (/** @type {number} */ k) => edges.filter(({ dst }) => dst == k);
    const ordered = (/** @type {number} */ k) => !SYMMETRIC.includes(ops[k]) && into(k).some(({ arg }) => arg > 0);
    const facts = (/** @type {number} */ k) => `${boxes[k].leaf ? "leaf · " : ""}${size(shapes[k])} · float64`;
    const constants = (/** @type {number} */ k) =>
      boxes[k].leaf ? [] : boxes[k].inputs.map((id) => nodes[id]).filter((it) => !it.requires);
    const attributes = (/** @type {number} */ k) => {
      const { attributes: own, before } = boxes[k];
      const others = constants(k).map((it) => `${it.names[0] ?? "constant"} = ${show(it.value, it.shape)}`);
      return [...own, ...(before ? [`grad before = ${show(before, shapes[k])}`] : []), ...others];
    };

    /** An edge's rule with names, or with numbers. @type {(edge: Edge, spelt: boolean) => string} */
    function rule({ src, dst, arg }, spelt) {
      const { inputs } = boxes[dst];
      const op = ops[dst];
      const own = new Map(boxes[dst].attributes.map((text) => /** @type {[string, string]} */ (text.split(" = "))));
      const plain = own.get("exponent") ?? own.get("other");
      const text = (RULES[op] ?? [])[arg];
      if (!text || own.has("self") || own.has("dim") || plain == "0") return "";
      const word = (/** @type {number} */ i) => {
        if (i >= inputs.length) return plain;
        const it = nodes[inputs[i]];
        const k = boxes.indexOf(it);
        if (!spelt) return k < 0 ? it.names[0] ?? "constant" : ref(k);
        return k < 0 ? show(it.value, it.shape) : put(`v${k}`, it.value, k);
      };
      /** @type {Record<string, string | undefined>} */
      const words = {
        a: word(0),
        b: word(1),
        g: spelt ? put(`a${dst}`, boxes[dst].grad ?? [], dst) : "g",
        out: spelt ? put(`v${dst}`, boxes[dst].value, dst) : "out",
        count: String(boxes[src].value.length / (boxes[dst].value.length || 1)),
      };
      let known = true;
      const filled = text.replace(/(?<![a-z])(?:out|count|[abg])(?![a-z])/g, (name) => words[name] ?? ((known = false), ""));
      if (!known) return "";
      const spread = SPREAD.includes(op) && String(shapes[src]) != String(shapes[dst]);
      return spread ? `Σ(${filled})` : filled;
    }

    /** @type {Step[]} */
    const steps = order.forward.map((k) => {
      const given = into(k).map(({ src }) => ref(src));
      if (ordered(k) || (into(k)[0]?.arg > 0 && !SYMMETRIC.includes(ops[k]))) {
        given.length = 0;
        for (const { src, arg } of into(k)) given[arg] = ref(src);
        for (let i = 0; i < given.length; i++) given[i] ??= "constant";
      }
      const head = boxes[k].leaf ? boxes[k].names.join(", ") || ref(k) : `${ref(k)} = ${ops[k]}(${given.join(", ")})`;
      const { leaf, names, store } = boxes[k];
      const changed = !leaf && names.length && store.version ? [`changed in place: version ${store.version}`] : [];
      const all = [...(k ? [] : ["output"]), facts(k), ...attributes(k), put(`v${k}`, boxes[k].value, k), ...changed];
      return { node: k, text: `${head}: ${all.join(", ")}` };
    });
    const count = steps.length;
    /** @type {Record<number, string>} */
    const sums = {}; // where the sum of a node's adjoint so far stands
    const sent = new Map(result.steps.map((it) => [`${it.node} ${it.edge[2]}`, it]));
    for (const k of order.backward) {
      const box = boxes[k];
      const grad = box.grad ?? Float64Array.of();
      const g = put(`a${k}`, grad, k);
      if (box.leaf) {
        const { before } = box;
        const was = before ? put(`b${k}`, before, k) : mark(`b${k}`, (texts[`b${k}`] = "None"));
        numbers[`b${k}`] ??= [];
        const is = put(`r${k}`, before ? grad.map((x, i) => x + before[i]) : grad, k);
        steps.push({ node: k, ask: "turn", text: bracketed(`${ref(k)} is a leaf: its .grad was ${was}, is ${before ? `${was} + ${g} = ` : ""}${is}`) });
        continue;
      }
      steps.push({ node: k, ask: "turn", text: `${ref(k)} (${ops[k]}) has its turn: g = ${g}` });
      edges.forEach((edge, e) => {
        if (edge.dst != k) return;
        const it = sent.get(`${box.id} ${edge.arg}`);
        if (!it) return;
        const to = edge.src;
        const own = put(`s${e}`, it.contribution, to);
        edge.sent = texts[`s${e}`];
        const named = rule(edge, false);
        const words = [...(named ? [named] : []), ...(named && named != "g" ? [rule(edge, true)] : []), own];
        let text = `${ref(k)} sends to ${ref(to)}: ${words.join(" = ")}`;
        const sum = put(`p${e}`, it.sum, to);
        if (sums[to]) text += `; ${ref(to)} adds up ${sums[to]} + ${own} = ${sum}`;
        steps.push({ node: k, edge: e, to, ask: sums[to] ? "adjoint" : "first", place: sums[to] ? `p${e}` : `s${e}`, text: bracketed(text) });
        sums[to] = sums[to] ? sum : own;
      });
    }
    const asked = (/** @type {Step} */ { node, edge = -1 }, /** @type {Sent} */ last) =>
      edge >= 0 && boxes[node].id == last.node && edges[edge].arg == last.edge[2];
    const kept = seen ? steps.slice(0, seen == "forward" ? count : steps.findIndex((step) => asked(step, seen))) : steps;
    for (const [e, edge] of edges.entries()) if (!kept.some((step) => step.edge === e)) edge.sent = "";
    return { boxes, edges, steps: kept, count, numbers, texts, shapes, title, facts, attributes, ordered };
  }

  /** From which step on a line of the drawing says what.
   * @type {(told: Told) => Record<string, Stated[]>} */
  function states({ boxes, steps, count, texts }) {
    /** @type {Record<string, Stated[]>} */
    const said = {};
    steps.forEach((step, i) => {
      const k = i + 1;
      const { node, place } = step;
      if (place) {
        said[`s${step.edge}`] = [[k, `s${step.edge}`, ""]];
        (said[`g${step.to}`] ??= []).push([k, place, `adjoint ${texts[place]}`]);
      } else if (k > count) {
        const leaf = boxes[node].leaf;
        const last = leaf ? `r${node}` : `a${node}`;
        (said[`g${node}`] ??= []).push([k, last, `${leaf ? "grad" : "adjoint"} ${texts[last]}`]);
      } else {
        said[`v${node}`] = [[k, `v${node}`, texts[`v${node}`]]];
        if (boxes[node].leaf) said[`g${node}`] = [[k, `b${node}`, `grad ${texts[`b${node}`] ?? "None"}`]];
      }
    });
    return said;
  }

  /** Return how many layers each box stands above the output; in a ``column`` it stands on its own.
   * @type {(told: Told, column: boolean) => number[]} */
  function levels({ boxes, edges, steps, count }, column) {
    const level = boxes.map(() => 0);
    /** @type {Set<number>} */
    const order = new Set(); // each behind its operands
    const visit = (/** @type {number} */ k) => {
      for (const { src, dst } of edges) if (dst == k && !order.has(src)) visit(src);
      order.add(k);
    };
    if (column) visit(0), [...order].reverse().forEach((k, n) => (level[k] = n));
    else
      for (const { node } of steps.slice(0, count).reverse())
        for (const { src, dst } of edges) if (dst == node) level[src] = Math.max(level[src], level[dst] + 1);
    return level;
  }

  /** Layers: a box stands on an even one, and each edge passes the odd ones between.
   * @type {(told: Told, column: boolean) => Layers} */
  function layers(told, column) {
    const { edges, steps, count } = told;
    const level = levels(told, column);
    const top = Math.max(...level);
    /** @type {Item[][]} */
    const rows = Array.from({ length: 2 * top + 1 }, () => []);
    /** @type {(row: number, own: Partial<Item>) => Item} */
    const put = (row, own) => {
      const item = { row, from: [], to: [], i: 0, want: 0, shift: 0, before: 0, after: 0, deep: 0, x: 0, y: 0, half: 0, ...own };
      rows[row].push(item);
      return item;
    };
    /** @type {Item[]} */
    const items = [];
    for (const { node } of steps.slice(0, count)) items[node] = put(2 * (top - level[node]), { node });
    edges.forEach((edge, e) => {
      let before = items[edge.src];
      const end = items[edge.dst];
      const link = (/** @type {Item} */ item) => {
        before.to.push(item);
        item.from.push(before);
        before = item;
      };
      edge.path = [];
      for (let row = before.row + 1; row < end.row; row++) {
        const item = put(row, { edge: e, label: row == end.row - 1 });
        edge.path.push(item);
        link(item);
      }
      link(end);
    });
    untangle(rows);
    return { rows, items };
  }

  const mean = (/** @type {number[]} */ list) => list.reduce((sum, x) => sum + x, 0) / list.length;

  /** @type {(rows: Item[][]) => number} */
  function crossings(rows) {
    let count = 0;
    for (const row of rows) {
      const ends = row.flatMap((item, i) => item.to.map((next) => [i, next.i]));
      for (const [i, j] of ends) for (const [k, l] of ends) if (i < k && j > l) count++;
    }
    return count;
  }

  /** Order each layer by the middle of its neighbours; keep the order with the fewest crossings.
   * @type {(rows: Item[][]) => void} */
  function untangle(rows) {
    const number = () => rows.forEach((row) => row.forEach((item, i) => (item.i = i)));
    number();
    /** @type {[number, Item[][]]} */
    let best = [crossings(rows), rows.map((row) => [...row])];
    for (let turn = 0; turn < 8 && best[0]; turn++) {
      const side = turn % 2 ? "from" : "to";
      for (const row of turn % 2 ? rows : [...rows].reverse()) {
        for (const item of row) item.want = item[side].length ? mean(item[side].map(({ i }) => i)) : item.i;
        row.sort((a, b) => a.want - b.want).forEach((item, i) => (item.i = i));
      }
      const now = crossings(rows);
      if (now < best[0]) best = [now, rows.map((row) => [...row])];
    }
    best[1].forEach((row, i) => (rows[i] = row));
    number();
  }

  /** Move a layer's items to where they want to be, least squares, and none onto another.
   * @type {(row: Item[]) => void} */
  function settle(row) {
    let shift = 0;
    /** @type {{ sum: number, size: number }[]} */
    const blocks = []; // items that touch: what their shifted wishes sum to, how many
    row.forEach((item, i) => {
      if (i) shift += row[i - 1].after + GAP + item.before;
      item.shift = shift;
      let block = { sum: item.want - shift, size: 1 };
      for (let last; (last = blocks.at(-1)) && last.sum / last.size >= block.sum / block.size; blocks.pop()) {
        block = { sum: last.sum + block.sum, size: last.size + block.size };
      }
      blocks.push(block);
    });
    let i = 0;
    for (const { sum, size } of blocks)
      for (const end = i + size; i < end; i++) row[i].x = sum / size + row[i].shift;
  }

  /** Say how deep each layer is, and how long all are together; ``flat``: from left to right.
   * @type {(laid: Laid, flat: boolean) => { depths: number[], gap: number, long: number }} */
  function deep({ layers: { rows }, sizes, labels }, flat) {
    for (const item of rows.flat()) {
      const box = item.node === undefined ? null : sizes[item.node];
      const label = item.label && item.edge !== undefined ? labels[item.edge] : null;
      const [w, h] = box ?? (label ? [label.width + 4, label.lines.length * STEP + 2] : [0, 0]);
      if (box) item.before = item.after = (flat ? h : w) / 2;
      else [item.before, item.after] = flat ? [h, 3] : [4, w];
      item.deep = flat ? w : h;
    }
    const gap = flat ? FLAT : DOWN;
    const depths = rows.map((row) => Math.max(0, ...row.map((item) => item.deep)));
    const long = depths.reduce((sum, deep) => sum + deep + gap, -gap);
    return { depths, gap, long };
  }

  /** Give each item its place. @type {(laid: Laid, flat: boolean) => Space} */
  function place(laid, flat) {
    const { depths, gap, long } = deep(laid, flat);
    const { rows } = laid.layers;
    const all = rows.flat();
    for (const item of all) item.x = 0;
    for (let turn = 0; turn < 12; turn++) {
      const side = turn % 2 ? "to" : "from";
      for (const row of turn % 2 ? [...rows].reverse() : rows) {
        for (const item of row) {
          const near = turn > 7 ? [...item.from, ...item.to] : item[side];
          item.want = near.length ? mean(near.map(({ x }) => x)) : item.x;
        }
        settle(row);
      }
    }
    const least = Math.min(...all.map((item) => item.x - item.before));
    let y = 0;
    rows.forEach((row, k) => {
      for (const item of row) {
        item.x -= least;
        item.y = y + depths[k] / 2;
        item.half = item.row % 2 && !flat ? 0 : (item.node === undefined ? depths[k] : item.deep) / 2;
      }
      y += depths[k] + gap;
    });
    const across = Math.max(...all.map((item) => item.x + item.after));
    const [width, height] = flat ? [long, across] : [across, long];
    return { width, height, point: (x, y) => (flat ? [y, x] : [x, y]), flat };
  }

  const points = (/** @type {Point[]} */ ...list) => list.map(([x, y]) => `${at(x)},${at(y)}`).join(" ");

  /** @type {(from: Point, to: Point) => string} */
  function head([x1, y1], [x2, y2]) {
    const far = Math.hypot(x2 - x1, y2 - y1) || 1;
    const [dx, dy] = [((y1 - y2) / far) * 3.5, ((x2 - x1) / far) * 3.5];
    return `M${points([x1 + dx, y1 + dy], [x2, y2], [x1 - dx, y1 - dy])}z`;
  }

  /** An edge from box to box, straight where it passes a layer.
   * @type {(edge: Edge, e: number, items: Item[], point: Space["point"]) => string} */
  function wire(edge, e, items, point) {
    const [a, b] = [items[edge.src], items[edge.dst]];
    /** @type {(box: Item, near: Item) => number} */
    const port = (box, near) => {
      const most = Math.max(0, box.before - 10);
      return box.x + Math.max(-most, Math.min(most, (near.x - box.x) * 0.6));
    };
    let [x, y] = [port(a, edge.path[0]), a.y + a.half];
    /** @type {Point} */
    const start = [x, y];
    /** @type {Point} */
    const tip = [port(b, edge.path[edge.path.length - 1]), b.y - b.half];
    const way = [...edge.path.flatMap((it) => (it.half ? [[it.x, it.y - it.half], [it.x, it.y + it.half]] : [[it.x, it.y]])), [tip[0], tip[1] - 8.5]];
    const curve = way.map(([u, v]) => {
      const middle = (y + v) / 2;
      const part = points(point(x, middle), point(u, middle), point(u, v));
      [x, y] = [u, v];
      return part;
    });
    const [p, q, t] = [point(...start), point(x, y), point(...tip)];
    const back = head(point(start[0], start[1] + 9), p) + "M" + points(q, t);
    return `<g class="ag-edge" data-edge="${e}"><path d="M${points(p)}C${curve.join(" ")}" fill="none"/><path class="ag-head" d="${head(q, t)}" fill="#555"/><path class="ag-back" d="${back}" visibility="hidden"/></g>`;
  }

  /** @type {(text: string, x: number, y: number, look: string) => string} */
  function row(text, x, y, look) {
    return `<text x="${at(x)}" y="${at(y)}"${look}>${safe(cut(text))}</text>`;
  }

  /** A line as it is in the end, and hidden, as it was before.
   * @type {(list: Stated[], x: number, y: number, look: string) => string} */
  function stated(list, x, y, look) {
    return list
      .map(([from, place, text], i) => {
        const hidden = list[i + 1] ? ` data-to="${list[i + 1][0]}" visibility="hidden"` : "";
        return row(text, x, y, ` data-v="${place}" data-from="${from}"${hidden}${look}`);
      })
      .join("");
  }

  /** @type {(role: string, x: number, y: number, w: number, h: number) => string} */
  function shape(role, x, y, w, h) {
    const rect = (/** @type {number} */ d) =>
      `<rect class="ag-box ag-${role}" x="${at(x + d)}" y="${at(y + d)}" width="${at(w - 2 * d)}" height="${at(h - 2 * d)}"${role == "leaf" ? ` rx="${at(Math.min(10, h / 3))}"` : ""} ${ROLES[role][1]}/>`;
    return rect(0) + (role == "root" ? rect(3) : "");
  }

  const roleOf = (/** @type {Ran} */ box, /** @type {number} */ k) => (box.leaf ? "leaf" : k ? "op" : "root");

  /** @type {(told: Told, limit: number, y: number) => { text: string, width: number, height: number }} */
  function legend({ boxes, edges }, limit, y) {
    let x = 0;
    let widest = 0;
    const entries = Object.keys(ROLES).filter((role) => boxes.some((box, k) => roleOf(box, k) == role));
    /** @type {(room: number, make: () => string) => string} */
    const put = (room, make) => {
      if (x && x + room > limit) [x, y] = [0, y + STEP];
      const made = make();
      x += room + 14;
      widest = Math.max(widest, x - 14);
      return made;
    };
    /** @type {(words: string, left: number, look?: string) => string} */
    const said = (words, left, look = "") => `<text x="${at(left)}" y="${at(y + 4.5)}"${look}>${words}</text>`;
    const parts = entries.map((role) =>
      put(26 + wide(ROLES[role][0]), () => shape(role, x + 0.5, y - 6, 19, 12) + said(ROLES[role][0], x + 25)),
    );
    const words = ["+ contribution that went", "back along an edge"];
    const whole = words.join(" ");
    if (edges.some(({ sent }) => sent))
      for (const word of wide(whole) > limit ? words : [whole])
        parts.push(put(wide(word), () => said(word, x, RED)));
    return { text: `<g class="ag-legend">${parts.join("")}</g>`, width: widest, height: y + 10 };
  }

  /** What stands in each box and on each edge, and how large that is.
   * @type {(told: Told, said: Record<string, Stated[]>, narrow: number) => Measured} */
  function measure(told, said, narrow) {
    most = MOST[narrow];
    const lines = told.boxes.map((_, k) => {
      /** @type {Line[]} */
      const own = [[told.title(k), "t"]];
      const facts = narrow ? told.facts(k).split(" · ") : [told.facts(k)];
      for (const text of [...facts, ...told.attributes(k)]) own.push([text, "m"]);
      for (const role of ["v", "g"]) if (said[role + k]) own.push(["", role, said[role + k]]);
      return own;
    });
    const room = (/** @type {Line} */ [text, role, list]) =>
      Math.max(...(list ? list.map((it) => it[2]) : [text]).map((it) => wide(cut(it), role == "t" ? 14 : 13)));
    /** @type {Point[]} */
    const sizes = lines.map((own) => [Math.max(...own.map(room)) + 2 * PAD, own.length * STEP + 14]);
    const labels = told.edges.map((edge, e) => {
      const sent = edge.sent && `+ ${edge.sent.startsWith("-") ? `(${edge.sent})` : edge.sent}`;
      /** @type {Line[]} */
      const lines = [];
      if (told.ordered(edge.dst)) lines.push([`operand ${edge.arg}`, ""]);
      if (sent) lines.push([sent, RED, (said[`s${e}`] ?? []).map(([from, place]) => [from, place, sent])]);
      return { lines, width: Math.max(0, ...lines.map(([text]) => wide(cut(text)))) };
    });
    return { lines, sizes, labels };
  }

  /** @type {(told: Told) => string} */
  function summary({ boxes, edges }) {
    /** @type {(n: number, one: string, several?: string) => string} */
    const many = (n, one, several = one + "s") => `${n} ${n == 1 ? one : several}`;
    const leaves = boxes.flatMap((box, k) => (box.leaf ? [box.names[0] ?? `#${k}`] : []));
    return `autograd graph: ${many(boxes.length, "node")}, ${many(edges.length, "edge")}, ${many(leaves.length, "leaf", "leaves")} (${leaves.join(", ")})`;
  }

  /** Lay out from left to right where ``room`` pixels suffice, else from above; the first way that fits.
   * @type {(told: Told, said: Record<string, Stated[]>, room: number) => [Laid, Space]} */
  function layOut(told, said, room) {
    let now = [0, false];
    const laid = { ...measure(told, said, 0), layers: layers(told, false) };
    /** @type {(narrow: number, column: boolean) => [Laid, Space]} */
    const way = (narrow, column) => {
      if (now[0] != narrow) Object.assign(laid, measure(told, said, narrow));
      if (now[1] != column) laid.layers = layers(told, column);
      now = [narrow, column];
      return [laid, place(laid, false)];
    };
    if (deep(laid, true).long <= room) return [laid, place(laid, true)];
    if (told.boxes.length > MANY) return way(0, false); // it would be long, and slow
    const ways = /** @type {[number, boolean][]} */ ([[0, false], [1, false], [1, true], [2, false], [2, true], [3, false], [3, true]]);
    /** @type {number[]} */
    const widths = [];
    for (const it of ways) {
      const found = way(...it);
      if (found[1].width <= room) return found;
      widths.push(found[1].width);
    }
    return way(...ways[widths.indexOf(Math.min(...widths))]);
  }

  /** The picture, as one SVG element, in ``room`` pixels if it can be.
   * @type {(told: Told, said: Record<string, Stated[]>, room: number) => string} */
  function picture(told, said, room) {
    const [laid, space] = layOut(told, said, room - 16);
    const { point, flat } = space;
    const { items } = laid.layers;
    const key = legend(told, Math.max(space.width, Math.min(300, room - 16)), space.height + 26);
    const [width, height] = [Math.ceil(Math.max(space.width, key.width)) + 16, Math.ceil(key.height) + 16];
    const boxes = told.boxes.map((box, k) => {
      const item = items[k];
      const [x, y] = point(item.x, item.y);
      const [w, h] = laid.sizes[k];
      let line = y - h / 2 + 21;
      const lines = laid.lines[k].map(([text, role, list]) => {
        const look = role == "t" ? ' font-size="14" font-weight="600"' : role == "g" ? RED : "";
        const made = list ? stated(list, x, line, look) : row(text, x, line, look);
        line += STEP;
        return made;
      });
      return `<g class="ag-node" data-node="${k}">${shape(roleOf(box, k), x - w / 2, y - h / 2, w, h)}${lines.join("")}</g>`;
    });
    const marks = told.edges.map((edge, e) => {
      const item = edge.path[edge.path.length - 1];
      const { lines, width } = laid.labels[e];
      const [x, y] = point(item.x, item.y);
      const middle = flat ? x : x + 6 + width / 2;
      const first = flat ? y - STEP * lines.length + 11 : y - (STEP * lines.length) / 2 + 13;
      const rows = lines.map(([text, look, list], i) =>
        list?.length ? stated(list, middle, first + i * STEP, look) : row(text, middle, first + i * STEP, look),
      );
      return `<g class="ag-mark" data-edge="${e}">${rows.join("")}</g>`;
    });
    return (
      `<svg xmlns="http://www.w3.org/2000/svg" class="ag-svg" role="img" width="${width}" height="${height}" viewBox="-8 -8 ${width} ${height}" font-family="${FONT}" font-size="13">` +
      `<title>${safe(summary(told))}</title><desc>The text version lists every step.</desc>` +
      `<rect class="ag-page" x="-8" y="-8" width="${width}" height="${height}" fill="#fff"/><g class="ag-ink" fill="#1a1a1a">` +
      `<g class="ag-edges" stroke="#555" stroke-width="1.5">${told.edges.map((edge, e) => wire(edge, e, items, point)).join("")}</g>` +
      `<g text-anchor="middle">${marks.join("")}${boxes.join("")}</g>${key.text}</g></svg>`
    );
  }

  /** @type {(step: Step) => string} */
  function item({ node, edge, to, ask, text }) {
    const data = `data-node="${node}"${edge === undefined ? "" : ` data-edge="${edge}" data-to="${to}"`}${ask ? ` data-ask="${ask}"` : ""}`;
    return `<li ${data}>${safe(text).replace(/\x02(\w+)\x03(.*?)\x04/g, '<b data-v="$1">$2</b>')}</li>`;
  }

  /** @type {(told: Told) => string} */
  function words(told) {
    /** @type {(heading: string, steps: Step[], start: number) => string} */
    const list = (heading, steps, start) => `<p>${heading}</p><ol start="${start}">${steps.map(item).join("")}</ol>`;
    const { steps, count } = told;
    return (
      `<summary>Text version</summary><p>${safe(summary(told))}</p>` +
      list("Forward", steps.slice(0, count), 1) +
      (steps[count] ? list("Backward", steps.slice(count), count + 1) : "")
    );
  }

  /**
   * Return the drawing of a run in ``room`` pixels: SVG, text version, what it is
   * called, the data of walk.js, and the numbers of each place. ``seen``: "forward", or a
   * step of the run, before which the drawing ends; ``bare``: results are question marks.
   * @type {(result: Done, room: number, seen?: Seen) => Drawing}
   */
  function draw(result, room, seen = {}) {
    const it = told(result, seen);
    const svg = picture(it, states(it), room);
    const nodes = it.boxes.map((box) => ({ shape: box.shape }));
    return { svg, words: words(it), name: `Drawing of ${it.title(0)}`, data: { nodes, edges: it.edges.map(() => ({ out: 0 })) }, lines: it.boxes.map((box) => box.line), numbers: it.numbers };
  }

  return { draw, one, safe, show };
})();
