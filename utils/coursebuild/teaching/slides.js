// @ts-check
// Fit each slide into its frame, the frames into the window, and turn them by keys.

{
  const all = /** @type {any[]} */ ([...document.querySelectorAll(".slide")]);
  const back = ["ArrowLeft", "ArrowUp", "PageUp"];
  const on = ["ArrowRight", "ArrowDown", "PageDown", " ", "Enter"];
  const margin = 40; // pixels: a slide has more beside it
  let here = 0;

  /** What is fuller than its frame becomes smaller, step by step: lines break anew. */
  function fit(slide) {
    const inner = slide.firstElementChild;
    const foot = slide.lastElementChild;
    for (let size = 1; size > 0.3; size -= 0.04) {
      inner.style.zoom = size;
      const { scrollWidth, clientWidth } = inner;
      const ends = inner.getBoundingClientRect().bottom <= foot.getBoundingClientRect().top;
      if (ends && scrollWidth <= clientWidth + margin) return;
    }
  }

  function enlarge() {
    const size = Math.min(innerWidth / 1280, innerHeight / 720);
    document.documentElement.style.setProperty("--slide-zoom", String(size));
    all[here].scrollIntoView();
  }

  function turn(to) {
    here = Math.max(0, Math.min(all.length - 1, to));
    history.replaceState(null, "", "#" + all[here].id);
    all[here].scrollIntoView();
  }

  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const { key } = event;
    if (back.includes(key) || (key == " " && event.shiftKey)) turn(here - 1);
    else if (on.includes(key)) turn(here + 1);
    else if (key == "Home") turn(0);
    else if (key == "End") turn(all.length - 1);
    else return;
    event.preventDefault();
  });
  addEventListener("scrollend", () => {
    const tops = all.map((it) => Math.abs(it.getBoundingClientRect().top));
    here = tops.indexOf(Math.min(...tops));
  });
  addEventListener("resize", enlarge);
  document.fonts.ready.then(() => {
    all.forEach(fit);
    here = Math.max(0, all.findIndex((it) => "#" + it.id == location.hash));
    enlarge();
  });
}
