// @ts-check
// Move the marks of a picture: what each position shows was computed by the build.

{
  /** @type {FindAll} */
  const all = (query, from = document) => Array.from(from.querySelectorAll(query));

  for (const figure of all(".mv")) {
    /** @type {FindAll} */
    const our = (query) => all(query, figure);
    /** Of each quantity the numbers; of each mark and word what each position shows.
     * @type {{ at: string[][], marks: Record<string, string[]>, words: string[][] }} */
    const { at, marks, words } = JSON.parse(our(".mv-data")[0].textContent);
    /** @type {HTMLFormElement[]} */
    const [form] = our("form");
    /** @type {SVGSVGElement[]} */
    const [svg] = our("svg");
    /** @type {SVGGraphicsElement[]} */
    const [held] = our(".mv-held");
    /** @type {HTMLInputElement[]} */
    const sliders = our("input");
    /** @type {HTMLOutputElement[]} */
    const outputs = our("output");
    const names = our("label").map((e) => e.textContent.trim());

    const marksOf = (/** @type {Element & HTMLOrSVGElement} */ mark) => marks[mark.dataset.row ?? ""];
    const show = () => {
      let row = 0; // the last quantity moves fastest
      sliders.forEach((slider, i) => {
        row = row * at[i].length + +slider.value;
        outputs[i].value = slider.ariaValueText = at[i][+slider.value];
      });
      our("[data-row]").forEach((path) => path.setAttribute("d", marksOf(path)[row]));
      our(".mv-say b").forEach((place, i) => (place.textContent = words[i][row]));
      const [title, says] = our("figcaption, .mv-say").map((e) => e.textContent);
      const now = sliders.map((it, i) => `${names[i]} = ${it.ariaValueText}`);
      svg.setAttribute("aria-label", `${[title, ...now].join(", ")}. ${says}`);
    };
    form.oninput = show;
    show();
    form.hidden = false;

    /** @type {(pointer: PointerEvent) => void} */
    const drag = ({ clientX, clientY }) => {
      const { x, y } = new DOMPoint(clientX, clientY).matrixTransform(held.getScreenCTM()?.inverse());
      const far = marksOf(held).map((d) => {
        const [u = 1e9, v = 1e9] = (d.match(/\d+/g) ?? []).map(Number); // outside of the plot
        return Math.hypot(u - x, v - y);
      });
      let row = far.indexOf(Math.min(...far));
      for (const slider of [...sliders].reverse()) {
        const count = +slider.max + 1;
        slider.value = String(row % count);
        row = Math.floor(row / count);
      }
      show();
    };
    if (held)
      svg.onpointerdown = (e) => {
        if (e.pointerType != "mouse" && e.target != held) return; // a finger that scrolls
        e.preventDefault();
        svg.setPointerCapture(e.pointerId);
        svg.onpointermove = drag;
        drag(e);
      };
    svg.onlostpointercapture = () => (svg.onpointermove = null);
  }
}
