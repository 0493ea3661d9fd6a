// @ts-check
// Put the question first that answers what is typed, or the end of a pasted message.

(() => {
  /** @type {FindAll} */
  const all = (query, from = document) => Array.from(from.querySelectorAll(query));
  const [box, ...sections] = all(".finder, .finder ~ section");
  /** @type {HTMLTextAreaElement[]} */
  const [field] = all("textarea", box);
  const [status] = all("[role=status]", box);
  // Words that say nothing of the matter, and pairs of which readers use the first for
  // the second.  Like the weights, they were chosen on the tuned paraphrases.
  const small = new Set(
    stems(
      `a although an and are as at be because but by can did do does even for from get got had has
      have how i if is it its let make me must my need of on one or our so than that the their
      them then there these they this though to us use want was we were what when which who why
      will with would you your`
    )
  );
  const same = new Map(
    `grad gradient, param weight, parameter weight, oom memory, ram memory, cuda gpu,
    backprop backward, backpropagate backward, network model, net model, average mean,
    variable tensor, differ difference, derivative gradient, iteration step, epoch step,
    frozen freeze, clone copy, target label, versus between, vs between,
    throw error, cannot cant, sample example, activation intermediate,
    tape graph, persistent retain, keep retain`
      .split(",")
      .map((pair) => /** @type {[string, string]} */ (stems(pair)))
  );
  const read = (/** @type {string} */ text) =>
    stems(text)
      .filter((word) => !small.has(word))
      .map((word) => same.get(word) ?? word);
  const parts = sections.map((section) => {
    const [head, also] = ["h2", ".also"].map((it) => read(all(it, section)[0].textContent));
    const text = read(section.textContent);
    /** @type {Map<string, number>} */
    const times = new Map();
    for (const word of text) times.set(word, (times.get(word) ?? 0) + 1);
    return {
      section,
      times,
      head: new Set(head),
      also: new Set(also),
      near: new Set([...pairs(head), ...pairs(also)]),
      pairs: new Set(pairs(text)),
      score: 0,
    };
  });
  const rarity = (/** @type {(part: typeof parts[number]) => boolean} */ has) => {
    const n = parts.filter(has).length;
    return Math.log(1 + (parts.length - n + 0.5) / (n + 0.5));
  };
  const ENOUGH = 0.4; // of the words, the rare ones counted more
  const LEAST = 9; // a score: no right answer to the known questions has less

  field.oninput = () => {
    const words = read(message(field.value));
    const rare = new Map(words.map((word) => [word, rarity((it) => it.times.has(word))]));
    const told = new Map(
      words.map((word) => [word, rarity((it) => it.head.has(word) || it.also.has(word))])
    );
    for (const part of parts) {
      part.score = 0;
      for (const [word, weight] of rare) {
        const title = 3 * +part.head.has(word) + 2 * +part.also.has(word);
        const times = part.times.get(word) ?? 0;
        part.score += (title * (weight + (told.get(word) ?? 0))) / 2 + (weight * 2 * times) / (times + 1);
      }
      for (const pair of pairs(words)) {
        const share = part.near.has(pair) ? 0.5 : part.pairs.has(pair) ? 0.25 : 0;
        for (const word of pair.split(" ")) part.score += share * (rare.get(word) ?? 0);
      }
    }
    const [best, ...rest] = [...parts].sort((a, b) => b.score - a.score);
    box.parentElement?.append(...[best, ...rest].map(({ section }) => section));
    const sum = (/** @type {string[]} */ some) => some.reduce((sum, word) => sum + (rare.get(word) ?? 0), 0);
    const asked = [...rare.keys()];
    const sure =
      best.score >= LEAST &&
      (asked.length > 1 || best.head.has(asked[0])) && // one word alone: in the question itself
      sum(asked.filter((word) => best.times.has(word))) >= ENOUGH * sum(asked);
    const title = all("h2", best.section)[0].firstChild?.textContent;
    status.textContent = !best.score
      ? words.length ? "No question here has any of these words. " : ""
      : sure
        ? `Best match: ${title}`
        : `No question here answers this. The nearest: ${title} `;
    if (sure || !words.length) return;
    const link = document.createElement("a");
    link.href = `search.html?q=${encodeURIComponent(field.value)}`;
    link.append("Search all pages");
    status.append(link);
  };
  box.hidden = false;
})();
