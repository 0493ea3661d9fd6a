// @ts-check
// Put the question first that shares most rare words with what is typed.

(() => {
  const words = (text) => new Set(text.toLowerCase().match(/\b\w{3,9}/g));
  /** @type {any} */
  const [box, ...parts] = document.querySelectorAll(".finder, .finder ~ section");
  const [, field, status] = box.children;
  const sets = parts.map((it) => words(it.textContent));

  field.oninput = () => {
    for (const part of parts) part.score = 0;
    for (const word of words(field.value)) {
      const those = parts.filter((_, i) => sets[i].has(word));
      for (const part of those) part.score += Math.log(parts.length / those.length);
    }
    const [best, ...rest] = [...parts].sort((a, b) => b.score - a.score);
    box.parentElement.append(best, ...rest);
    status.textContent = best.score ? best.querySelector("h2").firstChild.data : "";
  };
  box.hidden = false;
})();
