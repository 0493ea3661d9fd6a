// @ts-check
// Read numbers as people and PyTorch write them; the same for every box.

/** @type {(text: string, count?: number) => {numbers: number[], fault: string}} */
const readNumbers = (() => {
  const { sqrt, exp, log, sin, cos, tanh, abs } = Math;
  const calls = new Map(Object.entries({ sqrt, exp, log, ln: log, sin, cos, tanh, abs }));
  const parts = /(\s*)(?:((?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)|([a-zµΩπ°%²³_]+)|(\*\*|\S))/gi;
  const options = /,\s*\w+\s*=\s*(<[^>]*>|[^\s,)]+)/g; // dtype=torch.float64, grad_fn=<AddBackward0>

  /** Return the numbers of a list of sums, or throw; i and j stand for the number `i`.
   * @type {(text: string, i: number) => number[]} */
  function parse(text, i) {
    const all = [...text.matchAll(parts)].map(([, gap, number, word, sign]) => ({ gap, number, word, sign }));
    all.forEach(({ gap, number, word }, k) => {
      const { number: before, word: unit } = all[k - 1] ?? {};
      if (!gap && ((number && (before || unit)) || (before == "0" && /^[xob]./i.test(word)))) throw 0; // 0x10
    });
    let k = 0;
    const is = (/** @type {string[]} */ ...signs) => k < all.length && signs.includes(all[k].sign);
    const isUnit = (/** @type {number} */ n) => /^[ij]$/.test(all[n]?.word ?? "");

    /** @type {(end: string) => number[]} */
    function list(end) {
      const found = [];
      while (k < all.length && !is(end)) is(",", ";") ? k++ : found.push(...sum());
      if (all[k++]?.sign != end || !found.length) throw 0;
      return found;
    }

    const one = (/** @type {number[]} */ [x, ...more]) => {
      if (more.length) throw 0;
      return x;
    };

    /** @returns {number[]} */
    function sum() {
      let value = product();
      // "1 - 2", "1-2" and "1 -2i" are one number, "1 -2" are two
      while (is("+", "-") && (!all[k].gap || all[k + 1]?.gap || isUnit(k + 1) || isUnit(k + 2))) {
        const sign = all[k++].sign == "-" ? -1 : 1;
        value = [one(value) + sign * one(product())];
      }
      return value;
    }

    function product() {
      let value = power();
      while (is("*", "/")) value = all[k++].sign == "*" ? [one(value) * one(power())] : [one(value) / one(power())];
      return value;
    }

    /** @returns {number[]} */
    function power() {
      if (is("-", "+")) return all[k++].sign == "-" ? [-one(power())] : power();
      const value = single();
      if (!is("^", "**")) return value;
      k++;
      return [one(value) ** one(power())];
    }

    /** @returns {number[]} */
    function single() {
      const { number, word, sign } = all[k++] ?? {};
      if (number && isUnit(k)) return k++, [+number * i];
      if (number) {
        while (all[k]?.word && all[k + 1]?.sign != "(") k += all[k + 1]?.sign == "/" && all[k + 2]?.word ? 2 : 1;
        return [+number];
      }
      if (isUnit(k - 1)) return [i];
      if (sign == "√") return [sqrt(one(single()))];
      if (sign == "(" || sign == "[") return list(sign == "(" ? ")" : "]");
      if (!is("(")) throw 0;
      k++;
      if (/^(tensor|array)$/.test(word)) return list(")");
      const call = calls.get(word);
      if (!call) throw 0;
      return [call(one(list(")")))];
    }

    all.push({ gap: "", number: "", word: "", sign: "end" });
    return list("end");
  }

  /** Return the parts of complex numbers one after the other, as torch.view_as_real does.
   * @type {(text: string) => number[]} */
  function parseParts(text) {
    const real = parse(text, 0);
    if (!/(^|[^a-z])[ij](?![a-z])/.test(text)) return real;
    const [once, twice] = [1, 2].map((i) => parse(text, i).map((x, k) => x - real[k]));
    if (once.some((x, k) => abs(2 * x - twice[k]) > 1e-9 * abs(x))) throw 0; // i * i, say
    return real.flatMap((x, k) => [x, once[k]]);
  }

  const read = (/** @type {string} */ text) => {
    try {
      const numbers = parseParts(text);
      return { numbers, fault: numbers.every(isFinite) ? "" : "large" };
    } catch {
      return { numbers: [], fault: "number" };
    }
  };

  return (text, count) => {
    const plain = text.replace(/[−–‐]/g, "-").replace(/[·×]/g, "*").replace(options, "");
    const given = read(plain);
    if (given.fault || !count || given.numbers.length == count) return given;
    const pointed = read(plain.replace(/(\d),(?=\d)/g, "$1."));
    return { ...given, fault: pointed.numbers.length == count ? "comma" : "count" };
  };
})();

/** @type {(numbers: number[], typed: number[], near?: (x: number, y: number) => boolean) => boolean} */
const nearNumbers = (numbers, typed, near = () => false) =>
  numbers.length == typed.length &&
  numbers.every((x, i) => Math.abs(x - typed[i]) <= 1e-3 * Math.max(1, Math.abs(x)) || near(x, typed[i]));

/** Tell whether a number is right in all digits that were typed, two or more. @type {(x: number, typed: number) => boolean} */
const isRounded = (x, typed) => {
  const unit = 0.1 ** (/^-?\d+\.(\d+)$/.exec(typed + "")?.[1].length ?? NaN);
  return Math.abs(typed) > 9.5 * unit && Math.abs(x - typed) < 0.51 * unit;
};

/** Say what is wrong. @type {(place: Element, fault: string, count?: number) => void} */
const sayFault = (place, fault, count = 0) => {
  const says = /** @type {HTMLTemplateElement} */ (document.getElementById("number-says")).content;
  place.replaceChildren(...(says.querySelector("." + (fault || "none"))?.cloneNode(true).childNodes ?? []));
  place.querySelector("b")?.append(String(count));
};
