// @ts-check
// Compare a typed prediction with the numbers of the build.

(() => {
  /** @returns {any[]} */
  const all = (query, from = document) => [...from.querySelectorAll(query)];

  /** @param {string} text "(1, −2)", "1/3" */
  function read(text) {
    const parts = text.replace(/[−–-]\s*/g, "-").match(/[^\s,;()[\]]+/g) ?? ["?"];
    return parts.map((part) => {
      const [a, b = 1] = part.split("/");
      return +(a || NaN) / +b;
    });
  }

  for (const form of all(".ask")) {
    form.onsubmit = (event) => {
      event.preventDefault();
      const typed = read(form[0].value);
      const [answer] = all(".answer", form.parentElement);
      const numbers = (it) => it.dataset.numbers.split(" ");
      const near = (x, i) => Math.abs(x - typed[i]) <= 1e-3 * Math.max(1, Math.abs(x));
      const same = (it) => numbers(it).length == typed.length;
      const fits = (it) => same(it) && numbers(it).every(near);
      const kind = typed.some(isNaN) ? "number" : fits(form) ? "right" : same(form) ? "other" : "count";
      const card = all(".wrong", answer).find(fits) ?? all("." + kind, all("#ask-says")[0].content)[0];
      form.lastElementChild.replaceChildren(...card.cloneNode(true).childNodes);
      form.dataset.card = card.className;
      all(".count", form)[0]?.append(numbers(form).length);
      if (kind != "right") return;
      answer.open = true;
      form.dispatchEvent(new Event("found", { bubbles: true }));
    };
  }
})();
