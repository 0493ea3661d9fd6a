// @ts-check
// Escape closes a term's preview, until one comes to a term.

(() => {
  for (const event of ["keydown", "focusin", "pointerover"])
    addEventListener(event, (/** @type {any} */ { key, target }) => {
      if (key ? key == "Escape" : target.matches(".term")) document.body.classList.toggle("gp-shut", !!key);
    });
})();
