// @ts-check
// Compare a typed prediction with the numbers of the build.

(() => {
  /** @returns {any[]} */
  const all = (query, from = document) => [...from.querySelectorAll(query)];

  for (const form of all(".ask")) {
    form.onsubmit = (event) => {
      event.preventDefault();
      const [answer] = all(".answer", form.parentElement);
      const right = (it) => it.dataset.numbers.split(" ").map(Number);
      const count = right(form).length;
      const { numbers, fault: unread } = readNumbers(form[0].value, count);
      const fits = (it) => nearNumbers(right(it), numbers);
      const place = form.lastElementChild;
      const kind = fits(form) ? "right" : "other";
      const card = all(".wrong", answer).find(fits);
      const fault = unread || (kind == "other" && nearNumbers(right(form), numbers, isRounded) ? "near" : "");
      form.dataset.card = card ? "wrong" : fault || kind;
      if (card) place.replaceChildren(...card.cloneNode(true).childNodes);
      else if (fault) sayFault(place, fault, count);
      else place.replaceChildren(...all("." + kind, all("#ask-says")[0].content)[0].cloneNode(true).childNodes);
      if (fault && !card) return; // no try
      const found = form.dataset.card == "right";
      if (found) answer.open = true;
      form.dispatchEvent(new Event(found ? "found" : "missed", { bubbles: true }));
    };
  }
})();
