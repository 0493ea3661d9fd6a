// @ts-check
// Escape closes the preview of a term, until one comes back to it.

(() => {
  addEventListener("keydown", ({ key }) => {
    if (key != "Escape") return;
    for (const term of document.querySelectorAll("a.term:is(:hover, :focus)")) term.classList.add("shut");
  });
  for (const leave of ["pointerout", "focusout"])
    addEventListener(leave, (/** @type {any} */ { target }) => target.classList.remove("shut"));
})();
