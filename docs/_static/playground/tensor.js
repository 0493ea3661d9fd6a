// @ts-check
// Arrays of float64 numbers, row by row, and the operations on them with their
// vector-Jacobian products. At kinks and ties they answer as PyTorch does. Here are those that
// each page needs; more.js adds to them.
//
// An operation returns { shape, data, back }; back(g, k) is what the upstream gradient g
// sends to operand k. A refusal is thrown: { reason, message }.

const tensors = (() => {
  const { exp, log, sqrt, abs, sign, log1p, expm1, tanh, sin, cos, tan } = Math;
  /** @type {Refuse} */
  const refuse = (reason, message, place = undefined) => {
    throw { reason, message, place };
  };
  const size = (/** @type {number[]} */ shape) => shape.reduce((a, b) => a * b, 1);
  const show = (/** @type {number[]} */ shape) => `[${shape.join(", ")}]`;
  const LIMIT = 256; // entries: a step of a walk is to be read, and a hostile text to end
  const room = (/** @type {number[]} */ shape) => {
    if (size(shape) > LIMIT || shape.length > 8)
      refuse("long", `The playground holds tensors of at most ${LIMIT} numbers and 8 dimensions`);
  };
  const zeros = (/** @type {Operand} */ x) => new Float64Array(x.data.length);
  /** @type {(n: number, value: (i: number) => number) => Float64Array} */
  const fill = (n, value) => new Float64Array(n).map((_, i) => value(i));

  /** Return how far apart neighbours lie along each dimension. */
  const strides = (/** @type {number[]} */ shape) => shape.map((_, d) => size(shape.slice(d + 1)));

  /** Return, for each entry of a shape in order, its place in memory with these strides.
   * @type {(shape: number[], steps: number[], start?: number) => number[]} */
  function places(shape, steps, start = 0) {
    let found = [start];
    shape.forEach((n, d) => {
      found = found.flatMap((at) => Array.from({ length: n }, (_, i) => at + i * steps[d]));
    });
    return found;
  }

  /** @type {(a: number[], b: number[]) => number[]} */
  function broadcast(a, b) {
    const rank = Math.max(a.length, b.length);
    return Array.from({ length: rank }, (_, d) => {
      const [m, n] = [a, b].map((s) => s[d - rank + s.length] ?? 1);
      if (m != n && m != 1 && n != 1)
        refuse("broadcast", `The size of tensor a (${m}) must match the size of tensor b (${n}) at non-singleton dimension ${d}`);
      return m == 1 ? n : m;
    });
  }

  /** Return, for each entry of `shape`, the entry of `own` that is stretched over it.
   * @type {(own: number[], shape: number[]) => number[]} */
  function stretched(own, shape) {
    const steps = strides(own).map((s, d) => (own[d] == 1 ? 0 : s));
    return places(shape, [...Array(shape.length - own.length).fill(0), ...steps]);
  }

  /** Apply f entry by entry; vjps[k](g, y, ...entries) is operand k's share of one entry.
   * @type {(inputs: Operand[], f: Rule[0], vjps: Vjp[]) => Result} */
  function entrywise(inputs, f, vjps) {
    const shape = inputs.map((x) => x.shape).reduce(broadcast);
    room(shape);
    const at = inputs.map((x) => stretched(x.shape, shape));
    const entries = (/** @type {number} */ i) => inputs.map((x, k) => x.data[at[k][i]]);
    const data = fill(size(shape), (i) => f(...entries(i)));
    /** @type {Result["back"]} */
    const back = (g, k) => {
      const sent = zeros(inputs[k]);
      g.forEach((u, i) => (sent[at[k][i]] += vjps[k](u, data[i], ...entries(i))));
      return sent;
    };
    // The result lies in memory as the first operand of its shape does, if that has no gaps.
    const own = inputs.find((x) => show(x.shape) == show(shape))?.memory;
    const least = Math.min(...(own ?? []));
    const dense = own && new Set(own).size == data.length && Math.max(...own) - least < data.length;
    return { shape, data, back, memory: dense ? own.map((i) => i - least) : null };
  }

  /** Take entries at places of the operand: every view is one. It knows where they lie in memory.
   * @type {(x: Operand, shape: number[], at: number[]) => Result & { memory: number[] }} */
  function gather(x, shape, at) {
    /** @type {Result["back"]} */
    const back = (g) => {
      const sent = zeros(x);
      g.forEach((u, i) => (sent[at[i]] += u));
      return sent;
    };
    return { shape, data: fill(at.length, (i) => x.data[at[i]]), back, memory: at.map((i) => x.memory?.[i] ?? i) };
  }

  // C's pow knows two values that JavaScript's has not, and PyTorch takes roots for halves.
  /** @type {(a: number, b: number) => number} */
  const power = (a, b) => {
    if (a == 1 || (a == -1 && abs(b) == Infinity)) return 1;
    return b == 0.5 ? sqrt(a) : b == -0.5 ? 1 / sqrt(a) : a ** b;
  };
  const soft = (/** @type {number} */ x) => (x > 20 ? x : log1p(exp(x)));
  const sigmoid = (/** @type {number} */ x) => 1 / (1 + exp(-x));

  /** @type {Record<string, Rule>} */
  const unary = {
    neg: [(x) => -x, (g) => -g],
    exp: [exp, (g, y) => g * y],
    log: [log, (g, y, x) => g / x],
    sin: [sin, (g, y, x) => g * cos(x)],
    cos: [cos, (g, y, x) => g * -sin(x)],
    tan: [tan, (g, y) => g * (1 + y * y)],
    tanh: [tanh, (g, y) => g * (1 - y * y)],
    sigmoid: [sigmoid, (g, y) => g * (1 - y) * y],
    relu: [(x) => (x <= 0 ? 0 : x), (g, y) => (y <= 0 ? 0 : g)],
    sqrt: [sqrt, (g, y) => g / (2 * y)],
    abs: [abs, (g, y, x) => g * (sign(x) || 0)],
    square: [(x) => x * x, (g, y, x) => g * (2 * x)],
    reciprocal: [(x) => 1 / x, (g, y) => -g * (y * y)],
    softplus: [soft, (g, y, x) => (x > 20 ? g : (g * exp(x)) / (exp(x) + 1))],
    log1p: [log1p, (g, y, x) => g / (x + 1)],
    expm1: [expm1, (g, y) => g * (y + 1)],
    clone: [(x) => x, (g) => g],
  };

  /** @type {Record<string, Rule>} */
  const binary = {
    add: [(a, b) => a + b, (g) => g, (g) => g],
    sub: [(a, b) => a - b, (g) => g, (g) => -g],
    rsub: [(a, b) => b - a, (g) => -g, (g) => g],
    mul: [(a, b) => a * b, (g, y, a, b) => g * b, (g, y, a) => g * a],
    div: [(a, b) => a / b, (g, y, a, b) => g / b, (g, y, a, b) => -g * (a / b / b)],
    pow: [
      power,
      (g, y, a, b) => (b == 0 ? 0 : g * (b * power(a, b - 1))),
      (g, y, a, b) => g * (a == 0 && b >= 0 ? 0 : y * log(a)),
    ],
    maximum: [
      Math.max,
      (g, y, a, b) => (a == b ? g / 2 : a < b ? 0 : g),
      (g, y, a, b) => (a == b ? g / 2 : b < a ? 0 : g),
    ],
    minimum: [
      Math.min,
      (g, y, a, b) => (a == b ? g / 2 : a > b ? 0 : g),
      (g, y, a, b) => (a == b ? g / 2 : b > a ? 0 : g),
    ],
  };

  /** Return a dimension counted from the front. @type {(d: number, rank: number) => number} */
  function dimension(d, rank) {
    const n = rank || 1;
    if (d < -n || d >= n)
      refuse("dimension", `Dimension out of range (expected to be in range of [${-n}, ${n - 1}], but got ${d})`);
    return d < 0 ? d + n : d;
  }

  /** Return the places of x's entries in groups along dimensions, and the shape that is left.
   * @type {(x: Operand, dims: number[] | null, keep: boolean | null) => { groups: number[][], shape: number[] }} */
  function along(x, dims, keep) {
    const chosen = (dims ?? x.shape.map((_, d) => d)).map((d) => dimension(d, x.shape.length));
    chosen.forEach((d, i) => {
      if (chosen.indexOf(d) != i) refuse("dimension", `dim ${d} appears multiple times in the list of dims`);
    });
    const part = (/** @type {boolean} */ inside) => x.shape.map((n, d) => (chosen.includes(d) == inside ? n : 1));
    const inner = places(part(true), strides(x.shape));
    const groups = places(part(false), strides(x.shape)).map((at) => inner.map((by) => at + by));
    const shape = keep ? part(false) : x.shape.filter((_, d) => !chosen.includes(d));
    return { groups, shape };
  }

  /** @type {(x: Operand, dims: number[] | null, keep: boolean | null, reduction: Reduction) => Result} */
  function reduce(x, dims, keep, [f, vjp]) {
    const { groups, shape } = along(x, dims, keep);
    const values = groups.map((at) => at.map((i) => x.data[i]));
    const data = Float64Array.from(values, f);
    /** @type {Result["back"]} */
    const back = (g) => {
      const sent = zeros(x);
      groups.forEach((at, k) => vjp(g[k], data[k], values[k], dims).forEach((v, i) => (sent[at[i]] = v)));
      return sent;
    };
    return { shape, data, back };
  }

  const total = (/** @type {number[]} */ v) => v.reduce((a, b) => a + b, 0);
  /** @type {Record<string, Reduction>} */
  const sums = {
    sum: [total, (g, y, v) => v.map(() => g)],
    mean: [(v) => total(v) / v.length, (g, y, v) => v.map(() => g / v.length)],
  };

  /** Multiply (m, n) by (n, p). @type {(a: Entries, b: Entries, sizes: [number, number, number]) => Float64Array} */
  const times = (a, b, [m, n, p]) =>
    fill(m * p, (i) => {
      let sum = 0;
      for (let k = 0; k < n; k++) sum += a[n * ((i / p) | 0) + k] * b[p * k + (i % p)];
      return sum;
    });
  /** @type {(a: Entries, m: number, n: number) => Float64Array} */
  const turned = (a, m, n) => fill(m * n, (i) => a[n * (i % m) + ((i / m) | 0)]);

  /** Multiply vectors and matrices as @ does; a vector is a row on the left, a column on the right.
   * @type {(a: Operand, b: Operand) => Result} */
  function matmul(a, b) {
    const [left, right] = [a.shape.length, b.shape.length];
    if (!left || !right)
      refuse("rank", `both arguments to matmul need to be at least 1D, but they are ${left}D and ${right}D`);
    if (left > 2 || right > 2) refuse("outside", "The playground multiplies vectors and matrices, no stacks of matrices");
    const [m, n] = left == 2 ? a.shape : [1, ...a.shape];
    const [k, p] = right == 2 ? b.shape : [...b.shape, 1];
    if (n != k) refuse("matmul", mismatch(a.shape, b.shape, [m, n, k, p]));
    const shape = [...(left == 2 ? [m] : []), ...(right == 2 ? [p] : [])];
    room(shape);
    /** @type {Result["back"]} */
    const back = (g, k) => (k ? times(turned(a.data, m, n), g, [n, m, p]) : times(g, turned(b.data, n, p), [m, p, n]));
    return { shape, data: times(a.data, b.data, [m, n, p]), back };
  }

  /** @type {(a: number[], b: number[], sizes: number[]) => string} */
  function mismatch(a, b, [m, n, k, p]) {
    if (a.length + b.length == 2)
      return `inconsistent tensor size, expected tensor [${n}] and src [${k}] to have the same number of elements, but got ${n} and ${k} elements respectively`;
    if (b.length == 1) return `size mismatch, got input (${m}), mat (${m}x${n}), vec (${k})`;
    return `mat1 and mat2 shapes cannot be multiplied (${m}x${n} and ${k}x${p})`;
  }

  /** @type {(a: Operand, b: Operand) => Result} */
  function outer(a, b) {
    for (const { shape } of [a, b])
      if (shape.length != 1) refuse("rank", `outer: Expected 1-D argument, but got ${shape.length}-D`);
    const column = { ...a, shape: [...a.shape, 1] };
    return entrywise([column, b], ...pair("mul"));
  }

  /** @type {(name: string) => [Rule[0], Vjp[]]} */
  const pair = (name) => {
    const [f, ...vjps] = binary[name];
    return [f, vjps];
  };

  // Views.
  /** @type {(x: Operand, order: number[]) => Result} */
  function permuted(x, order) {
    const steps = strides(x.shape);
    const shape = order.map((d) => x.shape[d]);
    return gather(x, shape, places(shape, order.map((d) => steps[d])));
  }

  /** @type {(x: Operand, wanted: number[]) => Result} */
  function reshape(x, wanted) {
    const known = size(wanted.filter((n) => n != -1));
    const open = wanted.filter((n) => n == -1).length;
    if (open > 1) refuse("reshape", "only one dimension can be inferred");
    const bad = wanted.find((n) => n < -1);
    if (bad) refuse("reshape", `invalid shape dimension ${bad}`);
    const all = x.data.length;
    if (open ? !known || all % known : known != all)
      refuse("reshape", `shape '${show(wanted)}' is invalid for input of size ${all}`);
    const made = gather(x, wanted.map((n) => (n == -1 ? all / known : n)), [...x.data.keys()]);
    return lies(made) ? made : { ...made, memory: null, copied: true };
  }

  /** Say whether one step in memory leads along each dimension, as in what torch calls a view.
   * @type {(made: { shape: number[], memory: number[] }) => boolean} */
  function lies({ shape, memory: at }) {
    const steps = strides(shape).map((step, d) => (shape[d] == 1 ? 0 : at[step] - at[0]));
    return places(shape, steps, at[0]).every((there, i) => there == at[i]);
  }

  /** @type {(x: Operand, dim: number, index: number) => Result} */
  function select(x, dim, index) {
    const n = x.shape[dim];
    if (index < -n || index >= n) refuse("index", `index ${index} is out of bounds for dimension ${dim} with size ${n}`);
    const steps = strides(x.shape);
    const rest = (/** @type {number[]} */ list) => list.filter((_, d) => d != dim);
    return gather(x, rest(x.shape), places(rest(x.shape), rest(steps), steps[dim] * (index < 0 ? index + n : index)));
  }

  const sizes = (/** @type {Whole | Wholes} */ v) => (v.list ? v.list.map(({ n }) => n) : [v.n]);
  const dims = (/** @type {Whole | Wholes | null} */ v) => v && sizes(v);
  /** @type {typeof dims} */
  const anyDims = (v) => (v?.list?.length == 0 ? null : dims(v)); // () means all
  /** @type {(of: typeof dims, rules: Record<string, Reduction>) => (name: string) =>
   *   (x: Operand, dim?: Whole | Wholes | null, keep?: boolean | null) => Result} */
  const reduced = (of, rules) => (name) => (x, dim = null, keep = null) => reduce(x, of(dim), keep, rules[name]);

  /** @type {Operation[]} */
  const operations = [];
  /** @type {<P extends string>(names: string, params: P, act: (name: string) => (...parts: Arguments<P, Taken>) => Result) => void} */
  const define = (names, params, act) => {
    for (const name of names.split(" ")) operations.push({ name, params, act: act(name) });
  };
  /** @type {(name: string) => (x: Operand) => Result} */
  const alone = (name) => (x) => {
    const [f, ...vjps] = unary[name];
    return entrywise([x], f, vjps);
  };
  define(Object.keys(unary).join(" "), "input:t", alone);
  define("detach", "input:t", () => alone("clone"));
  define("add sub rsub mul div", "input:t other:v", (name) => (a, b) => entrywise([a, b], ...pair(name)));
  define("pow", "input:v exponent:v", () => (a, b) => entrywise([a, b], ...pair("pow")));
  define("sum mean", "input:t dim:I? keepdim:b?", reduced(anyDims, sums));
  define("matmul", "input:t other:t", () => matmul);
  define("outer", "input:t vec2:t", () => outer);
  define("reshape", "input:t shape:s", () => (x, shape) => reshape(x, sizes(shape)));
  define("select", "input:t dim:i index:i", () => (x, dim, i) => select(x, dim.n, i.n));

  return {
    refuse, room, size, show, fill, total, zeros, strides, places, stretched, dimension, pair, sizes, dims, anyDims, define, operations,
    entrywise, gather, along, reduced, matmul, permuted, reshape, select,
  };
})();
