// @ts-check
// Cover what answers a prediction until it is found, opened, or asked to be shown.

{
  /** @type {FindAll} */
  const all = (query, from = document) => Array.from(from.querySelectorAll(query));
  const key = "shown " + new URL("..", /** @type {HTMLScriptElement} */ (document.currentScript).src);
  const shown = new Set();
  let everything = false; // in storage too, unless that is refused
  try {
    everything = localStorage[key] == "everything";
  } catch {}

  /** What stands between a box and the next box or heading, but for code. @type {(box: Element) => Element[]} */
  const follows = (box) => {
    /** @type {Element[]} */
    const found = [];
    for (let it = box.nextElementSibling; it && !it.matches("section, .box"); it = it.nextElementSibling)
      found.push(...(it.matches(".cell") ? all(":scope > :not(.cell_input)", it) : [it]));
    return found.filter((it) => !it.matches(".plotting, [class*=highlight-Python]"));
  };

  /** @type {HTMLTemplateElement[]} */
  const templates = all("#cover-buttons");
  const [made] = templates.map((it) => all("button", it.content));
  const boxes = made ? all(".predict") : [];
  const parts = boxes.map((box, i) => {
    /** @type {HTMLDetailsElement[]} */
    const [answer] = all(".answer", box);
    const [whole, one] = made.map((button) => button.cloneNode(true));
    const part = { box, answer, one, follows: follows(box) };
    answer.ontoggle = () => answer.open && show(part);
    one.onclick = () => {
      show(part);
      const [next] = part.follows; // else the focus is lost
      if (!(next instanceof HTMLElement)) return;
      if (!next.matches("[tabindex]")) next.tabIndex = -1;
      next.focus({ preventScroll: true });
    };
    whole.onclick = () => {
      everything = !everything;
      try {
        localStorage[key] = everything ? "everything" : "";
      } catch {}
      draw();
    };
    if (!i) box.prepend(whole);
    if (part.follows.length) box.append(one);
    return part;
  });

  /** @type {(part: typeof parts[number]) => void} */
  function show(part) {
    shown.add(part);
    all(".ask", part.box).forEach((it) => it.dispatchEvent(new Event("missed", { bubbles: true }))); // or found before
    draw();
  }

  function draw() {
    all(".cover-all").forEach((it) => (it.ariaPressed = String(everything)));
    for (const part of parts) {
      const open = everything || shown.has(part) || part.answer.open || part.box.matches(".found");
      part.one.hidden = open;
      part.follows.forEach((it) => it.classList.toggle("covered", !open));
    }
  }

  /** Uncover where a link leads: a walk's step, or any element. */
  function visit() {
    const id = decodeURIComponent(location.hash.slice(1));
    const goal = all(".ag-walk")[+(id.match(/^ag-(\d+)/)?.[1] ?? 0) - 1] ?? document.getElementById(id);
    for (const part of parts) if (goal && part.follows.some((it) => it.contains(goal))) show(part);
  }

  addEventListener("click", ({ target }) => {
    const covered = target instanceof Element && target.closest(".covered");
    const part = parts.find(({ follows }) => follows.some((it) => it == covered));
    if (part) show(part);
  });
  addEventListener("found", draw);
  addEventListener("hashchange", visit);
  draw();
  visit();
}
