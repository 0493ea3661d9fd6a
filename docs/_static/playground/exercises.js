// @ts-check
// Exercises without end: a kind, a level and a seed make one, with its answer and the answers
// to which known mistakes lead. All numbers are those of playground.run.

/**
 * make(kind, level, seed): { program, what, name, answer, cards, see }. The answer is a list of
 * numbers, a card is a mistake and the numbers to which it leads here; `what` is asked about the
 * name, in the words of docs/practice.md; the question shows the program if `see.program`, and the
 * drawing that drawing.draw makes with `see.draw`.
 */
const exercises = (() => {
  /** @typedef {Omit<Exercise, "kind" | "level" | "seed">} Draft */
  /** @typedef {ReturnType<typeof diceOf>} Dice */

  /** Mulberry32, by Tommy Ettinger, 2017, public domain; its seed is FNV-1a of a text.
   * @type {(text: string) => () => number} */
  function chance(text) {
    let state = [...text].reduce((h, c) => Math.imul(h ^ c.charCodeAt(0), 16777619), 0x811c9dc5);
    return () => {
      state = (state + 0x6d2b79f5) | 0;
      let t = Math.imul(state ^ (state >>> 15), 1 | state);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
    };
  }

  function diceOf(/** @type {string} */ text) {
    const next = chance(text);
    /** @type {<T>(list: T[]) => T} */
    const pick = (list) => list[(next() * list.length) | 0];
    const number = () => pick([-4, -3, -2, -1, 1, 2, 3, 4, 5]);
    /** @type {<T>(list: T[]) => T[]} */
    const mixed = (list) => list.map((it) => ({ at: next(), it })).sort((a, b) => a.at - b.at).map(({ it }) => it);
    /** @type {<T>(n: number, make: () => T) => T[]} */
    const many = (n, make) => Array.from({ length: n }, make);
    const numbers = (/** @type {number} */ n) => many(n, number);
    const odds = (/** @type {number} */ p) => next() < p;
    /** @type {(a: number, b: number) => number} */
    const from = (a, b) => a + ((next() * (b - a + 1)) | 0);
    return { pick, number, numbers, mixed, many, odds, from };
  }

  /** @type {(v: number | number[] | number[][]) => string} */
  const literal = (v) => (Array.isArray(v) ? `[${v.map(literal).join(", ")}]` : v.toFixed(1));
  /** @type {(name: string, v: number | number[] | number[][], grad?: boolean) => string} */
  const leaf = (name, v, grad = true) => `${name} = tensor(${literal(v)}${grad ? ", requires_grad=True" : ""})`;

  // What a run says of a name.
  /** @type {(run: { nodes: Ran[] }, name: string) => Ran | undefined} */
  const named = ({ nodes }, name) => nodes.find(({ names }) => names.includes(name));
  /** @type {(key: "value" | "grad") => (text: string, name: string) => number[]} */
  const numbersOf = (key) => (text, name) => [...(named(playground.run(text), name)?.[key] ?? [])];
  const [valueIn, gradIn] = [numbersOf("value"), numbersOf("grad")];

  /** Lines of operations on leaves, one on the other, until all has come together.
   * @type {(dice: Dice, leaves: string[], count: number, last?: string) => string[]} */
  function grow({ pick, mixed, odds }, leaves, count, last = "y") {
    const all = [...leaves];
    let open = [...leaves];
    /** @type {string[]} */
    const lines = [];
    for (let left = count; left; left--) {
      const name = left > 1 ? "pqrstu"[count - left] : last;
      const [a, other] = mixed(open);
      const before = all.filter((it) => it != a);
      const b = open.length > left ? other : odds(0.6) ? (odds(0.5) && other) || pick(before) : null;
      const k = pick([2, 3, 4, 5]);
      const one = [`${a}**2`, `${k} * ${a}`, `${a} + ${k}`, `${k} - ${a}`, `relu(${a})`];
      lines.push(`${name} = ${pick(b ? [`${a} * ${b}`, `${a} * ${b}`, `${a} + ${b}`, `${a} - ${b}`] : one)}`);
      open = [...open.filter((it) => it != a && it != b), name];
      all.push(name);
    }
    return lines;
  }

  /** Where to find the place of a mistake in a program, what stands there then, and its card.
   * @typedef {[RegExp, string, string]} Mistake */

  // Mistakes that change values.
  /** @type {Mistake[]} */
  const VALUES = [
    [/([\w.]+) - (\w+)/g, "$2 - $1", "exchanged"],
    [/(\w+)\*\*2/g, "2 * $1", "power"],
    [/\b\d \* (\w+)/g, "1 * $1", "constant"],
    [/(\w+) \+ \d/g, "$1 + 0", "constant"],
    [/relu\((\w+)\)/g, "($1 + 0)", "negative"],
  ];
  // Mistakes that leave values alone and change slopes: detach() takes out what they forget.
  /** @type {Mistake[]} */
  const SLOPES = [
    [/(\w+)\*\*2/g, "$1 * $1.detach()", "factor"],
    [/\b(\d) \* (\w+)/g, "$2 + ($1 * $2 - $2).detach()", "factor"],
    [/([\w.]+) - (\w+)/g, "$1 + $2 - 2 * $2.detach()", "sign"],
    [/relu\((\w+)\)/g, "($1 + (relu($1) - $1).detach())", "negative"],
    [/(\w+)\.mean\(\)/g, "($1.sum() + ($1.mean() - $1.sum()).detach())", "mean"],
  ];

  /** The program with one place changed, for each place where a mistake is possible.
   * @type {(program: string, mistakes: Mistake[]) => { card: string, text: string }[]} */
  const mistaken = (program, mistakes) =>
    mistakes.flatMap(([pattern, now, card]) =>
      [...program.matchAll(pattern)].map(({ 0: found, index }) => {
        const changed = found.replace(new RegExp(pattern.source), now);
        return { card, text: program.slice(0, index) + changed + program.slice(index + found.length) };
      }),
    );

  const useOf = (/** @type {string} */ name) => new RegExp(`\\b${name}\\b(?! =)`, "g");
  /** @type {(program: string, name: string) => number} */
  const uses = (program, name) => (program.match(useOf(name)) ?? []).length;
  /** One use of a name is taken out of the record. @type {(names: string[]) => Mistake[]} */
  const forgotten = (names) => names.map((name) => [useOf(name), `${name}.detach()`, "path"]);

  /** What known mistakes make of a gradient. @type {(program: string, name: string) => Card[]} */
  function slopes(program, name) {
    const twice = playground.run(program).nodes.flatMap(({ names: [own] }) => (own && uses(program, own) > 1 ? [own] : []));
    const all = mistaken(program, [...forgotten(twice), ...SLOPES]);
    return all.map(({ card, text }) => [card, gradIn(text, name)]);
  }

  const negative = (/** @type {number[]} */ numbers) => numbers.map((x) => -x || 0);

  /** How many paths lead from a node to the output. @type {(run: Run, name: string) => number} */
  function paths({ nodes, output }, name) {
    if (output == null) return 0;
    const from = named({ nodes }, name)?.id;
    /** @type {number[]} */
    const ways = [];
    for (const { id, inputs } of nodes.slice(0, output + 1)) ways[id] = id == from ? 1 : inputs.reduce((sum, i) => sum + ways[i], 0);
    return ways[output];
  }

  /** @typedef {(dice: Dice, level: number) => Draft | null} Maker */

  /** @type {Maker} */
  function read(dice, level) {
    const leaves = ["x", "w", "b"].slice(0, level > 3 ? 3 : 2);
    const program = [...leaves.map((name) => leaf(name, dice.number())), ...grow(dice, leaves, level + 1)].join("\n");
    const result = playground.run(program);
    /** @type {Draft["see"]} */
    const see = { draw: { seen: "forward", bare: true } };
    const y = valueIn(program, "y");
    if (level < 3 || dice.odds(0.5)) {
      /** @type {Card[]} */
      const cards = mistaken(program, VALUES).map(({ card, text }) => [card, valueIn(text, "y")]);
      cards.push(["minus", negative(y)]);
      return { program, see, what: "value", name: "y", answer: y, cards };
    }
    const [name] = dice.mixed(leaves);
    const answer = [paths(result, name)];
    /** @type {Card[]} */
    const cards = [level + 1, leaves.length, result.nodes.length].map((n) => ["boxes", [n]]);
    cards.unshift(["edges", [uses(program, name)]]);
    return answer[0] > 1 ? { program, see, what: "paths", name, answer, cards } : null;
  }

  /** @type {(dice: Dice) => string[]} */
  function layer({ many, numbers, number, pick }) {
    return [
      leaf("W", many(2, () => numbers(3))),
      leaf("x", numbers(3)),
      leaf("b", number()),
      "h = W @ x",
      "p = h + b",
      `q = ${pick(["p**2", "relu(p)", "p * h", "3 * p"])}`,
      `y = ${pick(["q.sum()", "q @ h"])}`,
    ];
  }

  /** @type {Maker} */
  function next(dice, level) {
    const leaves = ["x", "w"];
    const vector = level > 2;
    const value = vector ? () => dice.numbers(2) : dice.number;
    const lines = level > 3 ? layer(dice) : [
      ...leaves.map((name) => leaf(name, value())),
      ...grow(dice, leaves, level < 2 ? 2 : 3, vector ? "s" : "y"),
      ...(vector ? [`y = ${dice.pick(["s.sum()", "s @ p", "s @ w"])}`] : []),
    ];
    const program = lines.join("\n");
    const { nodes, steps } = playground.run(program);
    // Asked for are steps with which the last part has arrived, and a new one; at levels 2 and 3 where several meet.
    const asked = steps.filter((step) => {
      const parts = steps.filter(({ edge }) => edge[1] == step.edge[1]);
      const copied = step.contribution.every((x, i) => x == (step.adjoint[i] ?? step.adjoint[0]));
      return parts.at(-1) == step && !copied && (level < 2 || level > 3 || parts.length > 1);
    });
    const step = dice.pick(asked);
    if (!step) return null;
    const { adjoint: g, contribution: part, edge: [from, to] } = step;
    const { names: [name] } = nodes[to];
    const answer = [...step.sum];
    const old = answer.map((x, i) => x - part[i]);
    const local = [...part].map((x, i) => x / (g.length == 1 ? g[0] : g[i]));
    /** @type {Card[]} */
    const upstream = g.length == 1 || g.length == part.length ? [["upstream", local.map((x, i) => x + old[i])], ["upstream", local]] : [];
    /** @type {Card[]} */
    const before = old.some((x) => x) ? [["path", old]] : [];
    /** @type {Card[]} */
    const wide = part.length == 1 && g.length > 1 ? [["stretched", [...g]]] : [];
    /** @type {Card[]} */
    const cards = [["overwritten", [...part]], ...before, ...upstream, ...wide, ...slopes(program, name), ["sign", negative(answer)]];
    return { program, see: { program: true, draw: { seen: step } }, what: "adjoint", name, sender: nodes[from].names[0], answer, cards };
  }

  /** @type {Maker} */
  function sums(dice, level) {
    const leaves = level == 2 || level == 4 ? ["x", "w"] : ["x"];
    const value = level > 3 ? () => dice.numbers(2) : dice.number;
    const last = level > 3 ? "s" : "y";
    const lines = [...leaves.map((name) => leaf(name, value())), ...grow(dice, leaves, level < 4 ? level + 1 : 4, last)];
    const program = [...lines, ...(level > 3 ? ["y = s.sum()"] : [])].join("\n");
    const result = playground.run(program);
    if (result.fault || paths(result, "x") < [0, 2, 2, 3, 3][level]) return null;
    const answer = gradIn(program, "x");
    const parts = mistaken(program, forgotten(["x"])).map(({ text }) => gradIn(text, "x"));
    // With two uses, what is left without the one came along the other.
    const product = parts.length == 2 ? answer.map((_, i) => parts[0][i] * parts[1][i]) : [];
    /** @type {Card[]} */
    const forgot = parts.map((part) => ["path", part]);
    /** @type {Card[]} */
    const cards = [...forgot, ["multiplied", product], ...slopes(program, "x"), ["sign", negative(answer)]];
    return { program, see: { program: true, draw: { seen: "forward" } }, what: "grad", name: "x", answer, cards };
  }

  /** @type {(name: string, shape: number[]) => string} */
  const ones = (name, shape) => `${name} = ones(${shape.join(", ")}, requires_grad=True)`;

  /** @type {Maker} */
  function shapes(dice, level) {
    if (level > 2) return stretched(dice, level);
    const [m, n, k] = dice.mixed([2, 3, 4, 5]);
    const [a, b] = dice.mixed([[m, 1], [n]]);
    const see = { program: true };
    if (level == 1) {
      const program = [ones("a", a), ones("b", b), `y = a ${dice.pick(["+", "*"])} b`, "L = y.sum()"].join("\n");
      /** @type {Card[]} */
      const cards = [["first", a], ["first", b], ["appended", [...a, ...b]], ["turned", [n, m]], ["flat", [Math.max(m, n)]], ["appended", [m, n, 1]]];
      return { program, see, what: "shape", name: "y", answer: [m, n], cards };
    }
    const [dim, keep] = [dice.from(0, 1), dice.odds(0.6)];
    const sizes = [m, n];
    const left = keep ? sizes.with(dim, 1) : [sizes[1 - dim]];
    const way = `${dice.pick(["sum", "mean"])}(dim=${dim}${keep ? ", keepdim=True" : ""})`;
    const lines = [ones("A", [m, k]), ones("B", [k, n]), ones("c", [n]), "h = A @ B", `p = h.${way}`, "y = p * h + c", "L = y.sum()"];
    if (!keep) lines.splice(5, 1, dim ? "y = outer(p, c)" : "y = c * p");
    const swapped = keep ? sizes.with(1 - dim, 1) : [sizes[dim]];
    const name = dice.pick(["p", "p", "y"]);
    const answer = name == "p" ? left : !keep && !dim ? [n] : [m, n];
    /** @type {Card[]} */
    const cards = name == "p"
      ? [["dimension", swapped], ["kept", keep ? [sizes[1 - dim]] : sizes.with(dim, 1)], ["kept", keep ? [sizes[dim]] : swapped], ["first", sizes]]
      : [["first", left], ["appended", [...left, n]], ["turned", [n, m]], ["first", [k, n]], ["flat", [m]]];
    return { program: lines.join("\n"), see, what: "shape", name, answer, cards };
  }

  /** The gradient of what broadcasting repeated. @type {Maker} */
  function stretched({ many, numbers, pick, number }, level) {
    const [rows, columns] = level < 4 ? [2, 2] : [2, 3];
    const matrix = () => many(rows, () => numbers(columns));
    const tall = level > 3 && pick([true, false]);
    const b = tall ? many(rows, () => [number()]) : numbers(columns);
    const lines = [leaf("X", matrix(), false), leaf("C", matrix(), false), leaf("b", b)];
    lines.push(`z = X ${pick(["+", "-", "*"])} b`, level < 4 ? "p = C * z" : pick(["p = C * z", "p = z**2"]), `y = p.${level < 4 ? "sum" : pick(["sum", "mean"])}()`);
    const program = lines.filter((line) => line[0] != "C" || lines[4].includes("C")).join("\n");
    const row = (/** @type {number} */ i) => (i / columns) | 0;
    const column = (/** @type {number} */ i) => i % columns;
    const [own, across] = tall ? [row, column] : [column, row];
    const copies = tall ? columns : rows;
    const all = Array.from({ length: rows }, (_, i) => Array.from({ length: columns }, (_, j) => b.flat()[own(i * columns + j)]));
    const whole = gradIn(program.replace(/^b = .*$/m, leaf("b", all)), "b");
    const copy = (/** @type {number} */ k) => whole.filter((_, i) => across(i) == k);
    const answer = gradIn(program, "b");
    /** @type {Card[]} */
    const cards = [
      ["stretched", whole],
      ["stretched", copy(0)],
      ["stretched", copy(copies - 1)],
      ["dimension", Array.from({ length: copies }, (_, k) => copy(k).reduce((a, b) => a + b))],
      ["mean", answer.map((x) => x / copies)],
      ...slopes(program, "b"),
      ["sign", negative(answer)],
    ];
    return { program, see: { program: true }, what: "grad", name: "b", answer, cards };
  }

  // Ways of a tensor into the output: [lines with N for its name and K for a number, its term, from level].
  /** @type {[lines: string, term: string, from: number][]} */
  const WAYS = [
    ["N = tensor(K, requires_grad=True)", "N * 3", 1],
    ["N = tensor(K, requires_grad=True)", "", 1],
    ["N = tensor(K)", "N", 1],
    ["N = tensor(K, requires_grad=True)", "N.detach()", 2],
    ["N = tensor(K, requires_grad=True)", "N * N.detach()", 2],
    ["N = tensor(K, requires_grad=True)", "0 * N", 3],
    ["M = tensor(K, requires_grad=True)\nN = 2 * M", "N**2", 3],
    ["N = tensor(K, requires_grad=True)\nwith no_grad():\n    M = 4 * N", "M", 4],
    ["N = tensor(K)\nN.requires_grad_()", "N**2", 4],
  ];

  /** @type {Maker} */
  function none({ number, mixed }, level) {
    const known = WAYS.filter(([, , from]) => from <= level);
    const chosen = mixed([known[0], ...mixed(known.slice(1)).slice(0, level + 1)]);
    /** @type {string[]} */
    const lines = [];
    /** @type {string[]} */
    const terms = [];
    /** @type {string[]} */
    const names = [];
    chosen.forEach(([made, term], k) => {
      const [name, beside] = ["abcdef"[k], "pqrstu"[k]];
      const put = (/** @type {string} */ text) => text.replaceAll("N", name).replaceAll("M", beside).replace("K", literal(number()));
      const own = made.split("\n")[0].startsWith("M") ? [beside, name] : [name];
      lines.push(put(made));
      names.push(...own);
      if (term) terms.push(put(term));
    });
    const program = [...lines, `y = ${terms.join(" + ")}`].join("\n");
    /** @type {(text: string, test: (it: Ran) => boolean) => number[]} */
    const nones = (text, test) => {
      const result = playground.run(text);
      return names.flatMap((name) => named(result, name) ?? []).map((it) => +test(it));
    };
    /** @type {(it: Ran) => boolean} */
    const isNone = ({ leaf, requires, grad }) => !(leaf && requires && grad);
    const answer = nones(program, isNone);
    /** @type {Card[]} */
    const cards = [
      ["reversed", answer.map((x) => 1 - x)],
      ["constant-grad", nones(program.replace(/tensor\((.{3,4})\)$/gm, "tensor($1, requires_grad=True)"), isNone)],
      ["intermediate", nones(program, ({ requires, grad }) => !(requires && grad))],
      ["zero", nones(program, (it) => isNone(it) || !it.grad?.some((x) => x))],
      ["unused", nones(program, ({ leaf, requires }) => !(leaf && requires))],
      ["detached", nones(program.replace(/\.detach\(\)/g, ""), isNone)],
      ["detached", nones(program.replace(/(\w) \* \1\.detach/g, "$1.detach"), isNone)],
      ["no-grad", nones(program.replace(/with .*\n +/, ""), isNone)],
    ];
    if (new Set(answer).size < 2) return null;
    return { program, see: { program: true }, what: "none", name: names.join(", "), answer, cards };
  }

  /** @type {Maker} */
  function wrong({ pick, many, numbers, mixed, from }, level) {
    const size = level < 2 ? 2 : 3;
    const c = () => leaf("c", numbers(size), false);
    const x = level < 4 ? leaf("x", numbers(size)) : leaf("x", numbers(3), false);
    const body = [
      [[`y = (${from(2, 5)} * x).sum()`], ["p = x**2", "y = p.sum()"], ["p = 3 - x", "q = p**2", "y = q.sum()"], ["p = relu(x)", "q = 2 * p", "y = q.sum()"]],
      [[c(), "p = x**2", "y = p @ c"], [c(), "p = c - x", "q = p**2", "y = q.sum()"], [c(), "p = 3 * x", "y = p @ c"]],
      [["p = x**2", "y = x @ p"], [c(), "p = c * x", "q = p - x", "y = q @ p"], [c(), "p = c - x", "y = p @ x"]],
      [["h = W @ x", "p = h**2", "y = p.sum()"], ["h = W @ x", "p = relu(h)", "y = p @ h"], ["h = W @ x", "p = 3 - h", "y = p @ h"]],
    ][level - 1];
    const name = level > 3 ? "W" : "x";
    const program = [...(level > 3 ? [leaf("W", many(2, () => numbers(3)))] : []), x, ...pick(body)].join("\n");
    const right = gradIn(program, name);
    const { shape = [] } = named(playground.run(program), name) ?? {};
    const i = from(0, right.length - 1);
    /** @type {Card[]} */
    const known = [...slopes(program, name), ["sign", negative(right)]];
    const [spoilt] = mixed(known.filter(([, it]) => it[i] != right[i] && it.length == right.length));
    if (!spoilt) return null;
    const claimed = right.with(i, spoilt[1][i]);
    const place = (/** @type {number} */ k) => (shape[1] ? [(k / shape[1]) | 0, k % shape[1]] : [k]);
    /** @type {Card[]} */
    const others = [...claimed.keys()].filter((k) => k != i).map((k) => ["this-is-right", [...place(k), claimed[k]]]);
    /** @type {Card[]} */
    const turned = shape[1] ? [["turned", [...place(i).reverse(), right[i]]]] : [];
    /** @type {Card[]} */
    const cards = [
      ["from-one", [...place(i).map((k) => k + 1), right[i]]],
      ["place-only", [...place(i), claimed[i]]],
      ...others,
      ["sign", [...place(i), -right[i]]],
      ...turned,
      ["placeless", right],
      ["placeless", [right[i]]],
    ];
    return { program, see: { program: true }, what: shape[1] ? "cell" : "entry", name, answer: [...place(i), right[i]], cards, claimed };
  }

  /** @type {Record<string, Maker>} */
  const KINDS = { read, next, paths: sums, shapes, none, wrong };

  /** The numbers that a question shows, in lists: of the program, of the drawing.
   * @type {(made: Draft, result: Run) => number[][]} */
  function shown({ program, see, claimed = [] }, { nodes, steps }) {
    const inside = (/** @type {string} */ text) => (text.match(/-?\d+(\.\d+)?/g) ?? []).map(Number);
    const known = see.draw ? nodes.filter(({ leaf }) => leaf || !see.draw?.bare).map(({ value }) => [...value]) : [];
    const { seen } = see.draw ?? {};
    const next = typeof seen == "object" ? steps.findIndex(({ edge }) => String(edge) == String(seen.edge)) : 0;
    const back = steps.slice(0, Math.max(0, next));
    const sent = back.flatMap(({ adjoint, contribution, sum }) => [[...adjoint], [...contribution], [...sum]]);
    return [...program.split("\n").map(inside), claimed, ...known, ...sent];
  }

  /** @type {(list: number[], part: number[]) => boolean} */
  const holds = (list, part) => list.some((_, k) => part.every((x, i) => list[k + i] == x));

  /** An exercise that can be done in one's head, tells nothing of its answer, and knows two mistakes. @type {(made: Draft) => Draft | null} */
  function sound(made) {
    const result = playground.run(made.program);
    if (result.fault) return null;
    const { answer, what } = made;
    const all = [answer, ...result.nodes.flatMap(({ value, grad }) => [[...value], [...(grad ?? [])]])].flat();
    if (all.some((x) => !Number.isInteger(4 * x) || Math.abs(x) > 99)) return null;
    if (["adjoint", "grad", "value"].includes(what) && answer.every((x) => !x)) return null;
    const part = made.claimed ? answer.slice(-1) : answer;
    if (shown(made, result).some((list) => holds(list, part))) return null;
    const cards = made.cards.filter(([, numbers], k) =>
      numbers.length && numbers.every(Number.isFinite) && !nearNumbers(answer, numbers) &&
      !made.cards.slice(0, k).some(([, others]) => nearNumbers(others, numbers)));
    return cards.length > 1 ? { ...made, cards } : null;
  }

  /** @type {(kind: string, level: number, seed: number) => Exercise} */
  function make(kind, level, seed) {
    const dice = diceOf(`${kind} ${level} ${seed}`);
    for (;;) {
      const made = KINDS[kind](dice, level);
      const exercise = made && sound(made);
      if (exercise) return { ...exercise, kind, level, seed };
    }
  }

  return { make, KINDS: Object.keys(KINDS) };
})();
