// @ts-check
// Put first, and show alone, the questions that share rare words with what is typed.

(() => {
  const words = (text) => new Set(text.toLowerCase().match(/[a-z]{2,}/g)?.map((w) => w.slice(0, 6)));
  const box = /** @type {any} */ (document.querySelector(".finder"));
  const [field, status] = box.querySelectorAll("textarea, p");
  const page = box.parentElement;
  /** @type {any[]} */
  const all = [...page.querySelectorAll(":scope > section")];
  const entries = all.map((part) => [words(part.textContent), words(part.firstElementChild.textContent), part]);
  const rarity = (word) => Math.log(all.length / entries.filter(([has]) => has.has(word)).length);

  field.oninput = () => {
    const asked = [...words(field.value)].filter((word) => entries.some(([has]) => has.has(word)));
    const score = new Map();
    for (const [has, title, part] of entries) {
      const sum = (set, weight) => asked.reduce((s, w) => s + (set.has(w) && weight * rarity(w)), 0);
      score.set(part, sum(has, 1) + sum(title, 2));
    }
    const ranked = asked.length ? [...all].sort((a, b) => score.get(b) - score.get(a)) : all;
    const least = score.get(ranked[0]) / 3;
    for (const part of ranked) part.hidden = score.get(part) < least;
    page.append(...ranked);
    const shown = ranked.filter((part) => !part.hidden);
    status.textContent = `${shown.length} of ${all.length} questions`;
  };
  box.hidden = false;
})();
