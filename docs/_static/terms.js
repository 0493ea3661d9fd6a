// @ts-check
// Escape closes a term's preview, until one comes to a term.

(() => {
  for (const event of ["keydown", "focusin", "pointerover"])
    addEventListener(event, (e) => {
      const key = e instanceof KeyboardEvent && e.key;
      const term = e.target instanceof Element && e.target.matches(".term");
      if (key ? key == "Escape" : term) document.body.classList.toggle("gp-shut", !!key);
    });
})();
