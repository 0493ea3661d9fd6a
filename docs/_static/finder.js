// @ts-check
// Put the question first that answers what is typed, or the end of a pasted message.

(() => {
  /** @type {any} */
  const [box, ...sections] = document.querySelectorAll(".finder, .finder ~ section");
  const [, field, status] = box.children;
  const parts = sections.map((section) => {
    const [head, also] = ["h2", ".also"].map((it) => stems(section.querySelector(it).textContent));
    return {
      section,
      head: new Set(head),
      also: new Set(also),
      text: new Set(stems(section.textContent)),
      pairs: new Set([...pairs(head), ...pairs(also)]),
      score: 0,
    };
  });
  const rarity = (/** @type {string} */ word) => {
    const n = parts.filter(({ text }) => text.has(word)).length;
    return Math.log(1 + (parts.length - n + 0.5) / (n + 0.5));
  };
  const WEIGHTS = { head: 3, also: 4, text: 1 }; // tuned on half of the paraphrases
  const ENOUGH = 0.3; // of the words, the rare ones counted more

  field.oninput = () => {
    const words = stems(message(field.value));
    const rare = new Map(words.map((word) => [word, rarity(word)]));
    for (const part of parts) {
      part.score = 0;
      for (const [word, weight] of rare) {
        const place = /** @type {const} */ (["head", "also", "text"]).find((it) => part[it].has(word));
        part.score += place ? weight * WEIGHTS[place] : 0;
      }
      for (const pair of pairs(words))
        if (part.pairs.has(pair))
          part.score += pair.split(" ").reduce((sum, word) => sum + (rare.get(word) ?? 0), 0) / 2;
    }
    const [best, ...rest] = [...parts].sort((a, b) => b.score - a.score);
    box.parentElement.append(...[best, ...rest].map(({ section }) => section));
    const sum = (/** @type {string[]} */ some) => some.reduce((all, word) => all + (rare.get(word) ?? 0), 0);
    const all = [...rare.keys()];
    const sure = sum(all.filter((word) => best.text.has(word))) >= ENOUGH * sum(all);
    const title = best.section.querySelector("h2").firstChild.data;
    status.textContent = !best.score
      ? words.length ? "No question here has any of these words. The search looks through all pages." : ""
      : sure
        ? `Best match: ${title}`
        : `No question here answers this. The nearest: ${title}`;
  };
  box.hidden = false;
})();
