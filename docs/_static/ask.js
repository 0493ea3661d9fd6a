// @ts-check
// Compare a typed prediction with the numbers of the build.

(() => {
  /** @type {FindAll} */
  const all = (query, from = document) => Array.from(from.querySelectorAll(query));

  /** @type {HTMLFormElement[]} */
  const forms = all(".ask");
  /** @type {HTMLTemplateElement[]} */
  const [says] = all("#ask-says");
  for (const form of forms) {
    form.onsubmit = (event) => {
      event.preventDefault();
      /** @type {HTMLInputElement[]} */
      const [field] = all("input", form);
      const [place] = all("[role=status]", form);
      /** @type {HTMLDetailsElement[]} */
      const [answer] = all(".answer", form.parentElement ?? form);
      const right = (/** @type {HTMLElement} */ it) => (it.dataset.numbers ?? "").split(" ").map(Number);
      const count = right(form).length;
      const { numbers, fault: unread } = readNumbers(field.value, count);
      const fits = (/** @type {HTMLElement} */ it) => nearNumbers(right(it), numbers);
      const kind = fits(form) ? "right" : "other";
      const card = all(".wrong", answer).find(fits);
      const fault = unread || (kind == "other" && nearNumbers(right(form), numbers, isRounded) ? "near" : "");
      form.dataset.card = card ? "wrong" : fault || kind;
      if (card) place.replaceChildren(...card.cloneNode(true).childNodes);
      else if (fault) sayFault(place, fault, count);
      else place.replaceChildren(...all("." + kind, says.content)[0].cloneNode(true).childNodes);
      if (fault && !card) return; // no try
      const found = form.dataset.card == "right";
      if (found) answer.open = true;
      form.dispatchEvent(new Event(found ? "found" : "missed", { bubbles: true }));
    };
  }
})();
