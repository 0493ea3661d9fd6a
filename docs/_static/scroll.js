// @ts-check
// Let the keyboard reach what is wider than the page, and nothing else.

(() => {
  const seen = new ResizeObserver((all) => {
    const wide = all.map(({ target }) => target.scrollWidth > target.clientWidth); // before any write
    all.forEach(({ target }, i) =>
      wide[i] ? target.setAttribute("tabindex", "0") : target.removeAttribute("tabindex"),
    );
  });
  const boxes = "pre, .math, .cell-output, .table-wrapper, .katex-display";
  for (const box of document.querySelectorAll(boxes)) seen.observe(box);
})();
