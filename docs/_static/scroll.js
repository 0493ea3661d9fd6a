// @ts-check
// Let the keyboard reach what is wider than the page, and nothing else.

(() => {
  const wide = "pre, .math, .cell-output, .table-wrapper, .katex-display";

  /** Give a tab stop to each box that scrolls now; take it from the others. */
  function mark() {
    for (const box of document.querySelectorAll(wide)) {
      if (box.scrollWidth > box.clientWidth) {
        box.setAttribute("tabindex", "0");
      } else {
        box.removeAttribute("tabindex");
      }
    }
  }

  addEventListener("resize", mark);
  addEventListener("toggle", mark, true);
  mark();
})();
