// @ts-check
// Move the marks of a picture: what each position shows was computed by the build.

{
  /** @returns {any[]} */
  const all = (query, from = document) => [...from.querySelectorAll(query)];

  for (const figure of all(".mv")) {
    const our = (query) => all(query, figure);
    const { at, marks, words } = JSON.parse(our(".mv-data")[0].textContent);
    const [form] = our("form");
    const [svg] = our("svg");
    const [held] = our(".mv-held");
    const sliders = our("input");
    const outputs = our("output");
    const names = our("label").map((e) => e.textContent.trim());

    form.oninput = () => {
      let row = 0; // the last quantity moves fastest
      sliders.forEach((slider, i) => {
        row = row * at[i].length + +slider.value;
        outputs[i].value = slider.ariaValueText = at[i][slider.value];
      });
      our("[data-row]").forEach((path) => path.setAttribute("d", marks[path.dataset.row][row]));
      our(".mv-say b").forEach((place, i) => (place.textContent = words[i][row]));
      const [title, says] = our("figcaption, .mv-say").map((e) => e.textContent);
      const now = sliders.map((it, i) => `${names[i]} = ${it.ariaValueText}`);
      svg.setAttribute("aria-label", `${[title, ...now].join(", ")}. ${says}`);
    };
    form.oninput();
    form.hidden = false;

    const drag = ({ clientX, clientY }) => {
      const { x, y } = new DOMPoint(clientX, clientY).matrixTransform(held.getScreenCTM().inverse());
      const far = marks[held.dataset.row].map((d) => {
        const [u = 1e9, v = 1e9] = d.match(/\d+/g) ?? []; // outside of the plot
        return Math.hypot(u - x, v - y);
      });
      let row = far.indexOf(Math.min(...far));
      for (const slider of [...sliders].reverse()) {
        const count = +slider.max + 1;
        slider.value = row % count;
        row = Math.floor(row / count);
      }
      form.oninput();
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
