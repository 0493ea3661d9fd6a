// @ts-check
// More operations, of which practice has no need: reductions, products, views, lists of tensors.

(() => {
  const { exp, log, sqrt, abs } = Math;
  const {
    room, size, show, fill, total, zeros, strides, places, stretched, dimension, pair, sizes, dims, anyDims, define,
    entrywise, gather, along, reduced, matmul, permuted, reshape,
  } = tensors;
  /** @type {Refuse} */
  const refuse = tensors.refuse;

  /** @type {(x: Operand, low: number, high: number) => Result} */
  const clamp = (x, low, high) =>
    entrywise([x], (v) => Math.min(Math.max(v, low), high), [(g, y, v) => (v >= low && v <= high ? g : 0)]);

  /** @type {(mask: Operand, a: Operand, b: Operand) => Result} */
  const where = (mask, a, b) =>
    entrywise([mask, a, b], (m, u, v) => (m ? u : v), [() => 0, (g, y, m) => (m ? g : 0), (g, y, m) => (m ? 0 : g)]);

  const product = (/** @type {number[]} */ v) => v.reduce((a, b) => a * b, 1);
  const largest = (/** @type {number[]} */ v) => v.reduce((a, b) => Math.max(a, b));
  const smallest = (/** @type {number[]} */ v) => v.reduce((a, b) => Math.min(a, b));
  /** @type {(a: number, b: number) => boolean} */
  const same = (a, b) => a == b || (a != a && b != b);
  // max() and amax() share g among equals; each divides in its own order, which nan and infinity show.
  /** @type {Reduction[1]} */
  const shared = (g, y, v) => {
    const n = v.filter((x) => same(x, y)).length;
    return v.map((x) => (same(x, y) ? g / n : 0));
  };
  /** @type {Reduction[1]} */
  const first = (g, y, v) => {
    const at = v.findIndex((x) => same(x, y));
    return v.map((_, i) => (i == at ? g : 0));
  };
  /** @type {Reduction[1]} */
  const counted = (g, y, v) => {
    const n = v.filter((x) => x == y).length;
    return v.map((x) => (g * +(x == y)) / n);
  };
  /** @type {Reduction[0]} */
  const lse = (v) => {
    const top = largest(v);
    const shift = abs(top) == Infinity ? 0 : top;
    return log(total(v.map((x) => exp(x - shift)))) + shift;
  };
  /** Where a factor is 0, y / x cannot stand for the product of the others.
   * @type {(g: number, v: number[], dims: number[] | null) => number[]} */
  const byOthers = (g, v, dims) => {
    const none = v.filter((x) => x == 0).length;
    const rest = product(v.filter((x) => x != 0));
    if (none > 1 && !dims) return v.map(() => 0); // torch multiplies by g only along a dimension
    return v.map((x) => g * (none == 1 && x == 0 ? rest : 0));
  };

  /** @type {Record<string, Reduction>} */
  const reductions = {
    prod: [product, (g, y, v, dims) => (v.includes(0) ? byOthers(g, v, dims) : v.map((x) => g * (y / x)))],
    max: [largest, shared],
    min: [smallest, shared],
    amax: [largest, counted],
    amin: [smallest, counted],
    // along a dimension the first of equals takes all
    "first max": [largest, first],
    "first min": [smallest, first],
    norm: [(v) => sqrt(total(v.map((x) => x * x))), (g, y, v) => v.map((x) => g * (y == 0 ? 0 : x / y))],
    logsumexp: [lse, (g, y, v) => v.map((x) => g * exp(x - y))],
  };

  /** Values of a group, and what each gets of their upstream gradients g.
   * @type {Record<string, [(values: number[]) => number[], (g: number[], y: number[]) => number[]]>} */
  const softs = {
    softmax: [
      (v) => {
        const top = largest(v);
        const e = v.map((x) => exp(x - top));
        const all = total(e);
        return e.map((x) => x / all);
      },
      (g, y) => {
        const mean = total(g.map((u, k) => u * y[k]));
        return y.map((p, i) => p * (g[i] - mean));
      },
    ],
    log_softmax: [
      (v) => {
        const top = largest(v);
        const all = log(total(v.map((x) => exp(x - top))));
        return v.map((x) => x - top - all);
      },
      (g, y) => {
        const all = total(g);
        return y.map((p, i) => g[i] - exp(p) * all);
      },
    ],
  };

  /** @type {(x: Operand, dim: number, soft: typeof softs[string]) => Result} */
  function soften(x, dim, [f, vjp]) {
    const { groups } = along(x, [dim], true);
    const data = zeros(x);
    /** @type {(from: Entries, at: number[]) => number[]} */
    const pick = (from, at) => at.map((i) => from[i]);
    /** @type {(to: Entries, at: number[], values: number[]) => void} */
    const put = (to, at, values) => at.forEach((i, k) => (to[i] = values[k]));
    groups.forEach((at) => put(data, at, f(pick(x.data, at))));
    /** @type {Result["back"]} */
    const back = (g) => {
      const sent = zeros(x);
      groups.forEach((at) => put(sent, at, vjp(pick(g, at), pick(data, at))));
      return sent;
    };
    return { shape: x.shape, data, back };
  }

  /** @type {(ranks: [number, number], says: string) => (a: Operand, b: Operand) => Result} */
  const ranked = (ranks, says) => (a, b) => {
    if (a.shape.length != ranks[0] || b.shape.length != ranks[1]) refuse("rank", says);
    return matmul(a, b);
  };

  const reversed = (/** @type {Operand} */ x) => permuted(x, [...x.shape.keys()].reverse());

  /** @type {(x: Operand, one: number, two: number) => Result} */
  function transpose(x, one, two) {
    const [a, b] = [one, two].map((d) => dimension(d, x.shape.length));
    return permuted(x, x.shape.map((_, d) => (d == a ? b : d == b ? a : d)));
  }

  /** @type {(x: Operand) => Result} */
  function t(x) {
    const rank = x.shape.length;
    if (rank > 2) refuse("rank", `t() expects a tensor with <= 2 dimensions, but self is ${rank}D`);
    return rank == 2 ? transpose(x, 0, 1) : gather(x, x.shape, [...x.data.keys()]);
  }

  /** @type {(x: Operand, wanted: number[]) => Result} */
  function view(x, wanted) {
    const made = reshape(x, wanted);
    if (made.copied)
      refuse("view", "view size is not compatible with input tensor's size and stride (at least one dimension spans across two contiguous subspaces). Use .reshape(...) instead");
    return made;
  }

  /** Repeat along dimensions of size 1, and along new ones in front.
   * @type {(x: Operand, wanted: number[]) => Result} */
  function expand(x, wanted) {
    const own = x.shape;
    const more = wanted.length - own.length;
    if (more < 0)
      refuse("reshape", `expand: the number of sizes provided (${wanted.length}) must be greater or equal to the number of dimensions in the tensor (${own.length})`);
    const shape = wanted.map((n, d) => {
      const m = own[d - more];
      if (n == -1 && d >= more) return m;
      if (n < 0) refuse("expand", `The expanded size of the tensor (${n}) isn't allowed in a leading, non-existing dimension ${d}`);
      if (d >= more && m != 1 && m != n)
        refuse("expand", `The expanded size of the tensor (${n}) must match the existing size (${m}) at non-singleton dimension ${d}.  Target sizes: ${show(wanted)}.  Tensor sizes: ${show(own)}`);
      return n;
    });
    room(shape);
    return gather(x, shape, stretched(own, shape));
  }

  /** @type {(x: Operand, dim: number) => Result} */
  function unsqueeze(x, dim) {
    const shape = [...x.shape];
    shape.splice(dimension(dim, x.shape.length + 1), 0, 1);
    return reshape(x, shape);
  }

  /** @type {(x: Operand, dim: number | null) => Result} */
  function squeeze(x, dim) {
    const only = dim == null ? null : dimension(dim, x.shape.length);
    return reshape(x, x.shape.filter((n, d) => n != 1 || (only != null && d != only)));
  }

  /** @type {(x: Operand, dim: number, start: number, end: number, step: number) => Result} */
  function slice(x, dim, start, end, step) {
    const n = x.shape[dim];
    const [from, to] = [start, end].map((i) => Math.min(Math.max(i < 0 ? i + n : i, 0), n));
    const steps = strides(x.shape);
    const shape = x.shape.map((m, d) => (d == dim ? Math.max(0, Math.ceil((to - from) / step)) : m));
    return gather(x, shape, places(shape, steps.map((s, d) => (d == dim ? s * step : s)), from * steps[dim]));
  }

  /** Lay tensors one behind the other along a dimension. @type {(inputs: Operand[], dim: number) => Result} */
  function cat(inputs, dim) {
    const rank = inputs[0].shape.length;
    inputs.forEach(({ shape }, k) => {
      if (!shape.length) refuse("rank", `zero-dimensional tensor (at position ${k}) cannot be concatenated`);
    });
    const d = dimension(dim, rank);
    inputs.forEach(({ shape }, k) => {
      if (shape.length != rank)
        refuse("sizes", `Tensors must have same number of dimensions: got ${rank} and ${shape.length}`);
      const odd = shape.findIndex((n, i) => i != d && n != inputs[0].shape[i]);
      if (odd >= 0)
        refuse("sizes", `Sizes of tensors must match except in dimension ${d}. Expected size ${inputs[0].shape[odd]} but got size ${shape[odd]} for tensor number ${k} in the list.`);
    });
    const shape = inputs[0].shape.map((n, i) => (i == d ? total(inputs.map((x) => x.shape[d])) : n));
    room(shape);
    const steps = strides(shape);
    let start = 0;
    const at = inputs.map((x) => {
      start += x.shape[d] * steps[d];
      return places(x.shape, steps, start - x.shape[d] * steps[d]);
    });
    const data = new Float64Array(size(shape));
    inputs.forEach((x, k) => at[k].forEach((to, i) => (data[to] = x.data[i])));
    return { shape, data, back: (g, k) => fill(at[k].length, (i) => g[at[k][i]]) };
  }

  /** @type {(inputs: Operand[], dim: number) => Result} */
  function stack(inputs, dim) {
    inputs.forEach(({ shape }, k) => {
      if (show(shape) != show(inputs[0].shape))
        refuse("sizes", `stack expects each tensor to be equal size, but got ${show(inputs[0].shape)} at entry 0 and ${show(shape)} at entry ${k}`);
    });
    return cat(inputs.map((x) => ({ ...x, shape: unsqueeze(x, dim).shape })), dim);
  }

  /** @type {(list: Operand[], name: string) => Operand[]} */
  const some = (list, name) => (list.length ? list : refuse("sizes", `${name} expects a non-empty list of tensors`));
  define("maximum minimum", "input:t other:t", (name) => (a, b) => entrywise([a, b], ...pair(name)));
  define("amax amin", "input:t dim:I? keepdim:b?", reduced(anyDims, reductions));
  define("prod", "input:t dim:i? keepdim:b?", reduced(dims, reductions));
  define("logsumexp", "input:t dim:I keepdim:b?", reduced(dims, reductions));
  define("norm", "input:t", reduced(dims, reductions));
  define("max min", "input:t dim:i? keepdim:b?", (name) => (x, dim, keep) => {
    if (keep != null && !dim) refuse("type", `${name}() received keepdim without dim`);
    return reduced(dims, reductions)(dim ? `first ${name}` : name)(x, dim, keep);
  });
  define("softmax log_softmax", "input:t dim:i", (name) => (x, dim) => soften(x, dim.n, softs[name]));
  define("dot", "input:t tensor:t", () => (a, b) => ranked([1, 1], `1D tensors expected, but got ${a.shape.length}D and ${b.shape.length}D tensors`)(a, b));
  define("mv", "input:t vec:t", () => ranked([2, 1], "vector + matrix @ vector expected, got other numbers of dimensions"));
  define("mm", "input:t mat2:t", () => ranked([2, 2], "self must be a matrix, and mat2 must be a matrix"));
  define("clamp", "input:t min:k? max:k?", () => (x, low, high) => {
    if (!low && !high) refuse("type", "torch.clamp: At least one of 'min' or 'max' must not be None");
    return clamp(x, low?.n ?? -Infinity, high?.n ?? Infinity);
  });
  define("where", "condition:m input:v other:v", () => where);
  define("T", "input:t", () => reversed);
  define("t", "input:t", () => t);
  define("transpose", "input:t dim0:i dim1:i", () => (x, a, b) => transpose(x, a.n, b.n));
  define("view", "input:t size:s", () => (x, shape) => view(x, sizes(shape)));
  define("expand", "input:t size:s", () => (x, shape) => expand(x, sizes(shape)));
  define("flatten", "input:t", () => (x) => reshape(x, [-1]));
  define("unsqueeze", "input:t dim:i", () => (x, dim) => unsqueeze(x, dim.n));
  define("squeeze", "input:t dim:i?", () => (x, dim) => squeeze(x, dim && dim.n));
  define("slice", "input:t dim:i start:i end:i step:i", () => (x, dim, start, end, step) => slice(x, dim.n, start.n, end.n, step.n));
  define("stack", "tensors:l dim:i?", () => (list, dim) => stack(some(list, "stack"), dim?.n ?? 0));
  define("cat", "tensors:l dim:i?", () => (list, dim) => cat(some(list, "cat"), dim?.n ?? 0));
})();
