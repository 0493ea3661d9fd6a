// @ts-check
// Read words as search page and finder compare them.

const { stems, pairs, message } = (() => {
  /** The words of a text, as stems; a name and its parts (no error's); [N, 1] as a column; -ize as -ise. */
  const stems = (/** @type {string} */ text) =>
    (
      text
        .replace(/\b(?!\w+Error\b)\w*[a-z][A-Z]\w*/g, (name) => `${name} ${name.replace(/[A-Z]+/g, " $&")}`)
        .toLowerCase()
        .replace(/([iy])z/g, "$1s")
        .replace(/[[(]\w+, ?1[\])]/g, " column ")
        .replace(/['’]/g, "")
        .replace(/\b(in|non|grad)[- ](?=place|leaf|cam)/g, "$1")
        .match(/[a-z]+(?:_[a-z]+)*|[+]=/g) ?? []
    )
      .flatMap((word) => (word.includes("_") ? [word, ...word.split("_")] : [word]))
      .filter((word) => word.length > 1)
      .map((word) =>
        word.length > 5
          ? word.replace(/(ation|ting|ing|tion|ment|ed|es|s|e|ly)$/, "").slice(0, 8)
          : word.replace(/s$/, "")
      );
  const pairs = (/** @type {string[]} */ words) => words.slice(1).map((w, i) => `${words[i]} ${w}`);
  /** A traceback says in its last message what happened; the frames only say where. */
  const message = (/** @type {string} */ text) => {
    const at = [...text.matchAll(/\b\w*(?:Error|Warning): /g)].at(-1);
    return at ? text.slice(at.index) : text;
  };
  return { stems, pairs, message };
})();
