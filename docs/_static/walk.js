// @ts-check
// Walk a graph by its text version's steps, predict them, find their code.

{
  /** @type {FindAll} */
  const all = (query, from = document) => Array.from(from.querySelectorAll(query));
  const unmark = () => all(".ag-at").forEach((e) => e.classList.remove("ag-at"));
  // Not pointerover: a page may scroll under a resting pointer.
  const pointing = ["pointermove", "pointerdown", "focusin"];
  const onPoint = (/** @type {(e: Event) => void} */ act) => pointing.forEach((it) => addEventListener(it, act));
  onPoint(unmark);
  const page = document.documentElement.style;

  /** @type {HTMLTemplateElement[]} */
  const [template] = all("#ag-bar");
  all(".ag-walk").forEach((bar, i) => {
    const id = i + 1;
    const figure = bar.parentElement ?? bar;
    /** @type {FindAll} */
    const our = (query) => all(query, figure);
    const names = (/** @type {number} */ n) => all("text", boxes[n][0])[0].textContent.split(/ = |, /);
    bar.append(template.content.cloneNode(true));
    /** @type {HTMLInputElement[]} */
    const [predict, slider, field] = our("input.ag-part");
    /** @type {HTMLOutputElement[]} */
    const [count] = our("output.ag-part");
    /** @type {HTMLFormElement[]} */
    const [form] = our("form.ag-part");
    const [say, fault] = our("p.ag-part");
    const [question, shape] = our("span.ag-part, b.ag-part");
    /** @type {LeavesForm[]} */
    const [leaves] = our(".ag-leaves");
    const hint = [...say.childNodes];
    let [last, now, timer] = [0, 0, 0];
    /** @type {DOMStringMap} */
    let at = {}; // what the step is about
    /** @type {HTMLElement[]} */
    let steps = [];
    /** @type {SVGElement[][]} */
    let boxes = []; // all of a node: the wide drawing's, the narrow one's
    /** @type {(HTMLElement | undefined)[]} */
    let made = []; // the line of code that made each node
    /** @type {Recorded} */
    let recorded;

    function read() {
      steps = our("li[data-node]");
      steps.forEach((li) => li.removeAttribute("id")); // ours to follow
      boxes = [];
      /** @type {SVGElement[]} */
      const drawn = our(".ag-node");
      for (const box of drawn) (boxes[Number(box.dataset.node)] ??= []).push(box);
      recorded = JSON.parse(our(".ag-data")[0].textContent);
      last = steps.length;
      slider.max = String(last);
      const lines = all("[data-made]").map((line) => ({ line, nodes: line.dataset.made?.split(" ") }));
      made = boxes.map((_, n) => lines.find(({ nodes }) => nodes?.includes(`${id}-${n}`))?.line);
      made.forEach((line) => line && !line.closest("[aria-hidden]") && (line.tabIndex = 0));
    }

    /** @type {(step: number) => void} */
    function draw(step) {
      slider.value = String(step);
      now = +slider.value;
      const place = `${now} / ${last}`;
      if (count.value != place) count.value = place; // aloud, once
      for (const line of our("[data-from]")) {
        const { from, to } = line.dataset;
        const own = line.style.visibility || line.getAttribute("visibility") || "inherit";
        const due = now < Number(from) || now >= Number(to) ? "hidden" : "inherit";
        if (own != due) line.style.visibility = due;
      }
      at = (now < last && steps[now - 1]?.dataset) || {};
      for (const { dataset: it, classList } of our("svg [data-node], svg [data-edge]")) {
        classList.toggle("ag-on", it.edge ? it.edge == at.edge : it.node == at.node);
        classList.toggle("ag-to", it.node == (at.to ?? "-1"));
      }
      unmark();
      mark(Number(at.node));
      ask();
    }

    /** @type {(step: number) => void} */
    function go(step) {
      draw(step);
      say.replaceChildren(...(steps[now - 1]?.cloneNode(true).childNodes ?? ["Nothing has run yet."]));
      clearTimeout(timer);
      timer = setTimeout(() => history.replaceState(0, "", (figure.dataset.address ?? `#ag-${id}-s`) + now), 300);
      page.scrollPaddingBottom = bar.offsetHeight + "px";
      farther("svg, .ag-on", ".ag-to")?.scrollIntoView({ block: "nearest", inline: "center" });
      page.scrollPaddingBottom = "";
    }

    // Sender or receiver: the one in sight must not leave the other above the window.
    /** @type {(one: string, other: string) => Element | undefined} */
    function farther(one, other) {
      const [sender, receiver = sender] = [one, other].map((it) => our(it).filter((e) => e.checkVisibility()).pop());
      if (!sender || !receiver) return sender;
      const [a, b] = [sender, receiver].map((e) => e.getBoundingClientRect().top / innerHeight - 0.5);
      return Math.abs(b - a) < 0.4 && Math.abs(b) > Math.abs(a) ? receiver : sender;
    }

    /** @type {Record<string, () => void>} */
    const keys = { Home: () => go(0), ArrowLeft: () => go(now - 1), ArrowRight: () => go(now + 1), End: () => go(last) };
    slider.oninput = () => go(+slider.value);
    bar.onclick = ({ target }) => {
      if (target instanceof HTMLButtonElement) keys[target.value]?.();
    };
    figure.onkeydown = (e) => {
      const typed = e.target instanceof HTMLInputElement && e.target.type == "text";
      if (!(e.key in keys) || typed || e.altKey || e.ctrlKey || e.metaKey) return;
      e.preventDefault();
      keys[e.key]();
    };

    // Predict: each judge names a card.
    /** @type {(b: HTMLElement) => number[]} */
    function numbers(b) {
      const { textContent: text, dataset } = b;
      return leaves?.at(dataset.v ?? "")?.map((x) => x ?? 0) ?? (/…|number/.test(text) ? [] : readNumbers(text).numbers);
    }

    function ask() {
      const li = steps[now];
      const about = (predict.checked && !predict.disabled && li?.dataset.ask) || "";
      const typeable = (/** @type {number[]} */ them) => them.length && them.every(isFinite); // neither inf nor nan
      const known = about == "turn" || (about && all("b", li).every((b) => typeable(numbers(b))));
      form.dataset.card = field.value = "";
      form.dataset.ask = known ? about : "";
      question.textContent = li?.textContent.split(":")[0];
      shape.textContent = li?.dataset.ask ? shapeOf(li.dataset) : "";
    }

    /** @type {(step: DOMStringMap) => string} */
    function shapeOf({ node, edge, to }) {
      const { outputs, shape } = recorded.nodes[Number(to ?? node)];
      const sizes = outputs?.[recorded.edges[Number(edge)]?.out]?.shape ?? shape ?? [];
      return sizes.length ? `shape (${sizes.join(", ")}${sizes[1] ? "" : ","})` : "a scalar";
    }

    /** @type {(given: string, li: HTMLElement) => string | undefined} */
    function judgeSum(given, li) {
      let [sum, part, old] = all("b", li).reverse().map(numbers);
      if (li.dataset.ask == "first") [part, old] = [sum, sum.map(() => 0)];
      const g = numbers(our(`b[data-v=a${li.dataset.node}]`)[0]);
      const local = part.map((x, i) => x / (g[i] ?? g[0]));
      const upstream = local.map((x, i) => x + old[i]);
      /** @type {Record<string, number[]>} */
      const cards = { right: sum, overwritten: part, path: old, upstream, local };
      const typed = readNumbers(given, sum.length);
      const meant = Object.keys(cards).find((c) => nearNumbers(cards[c], typed.numbers));
      const said = typed.fault || (!meant && nearNumbers(sum, typed.numbers, isRounded) ? "near" : "");
      sayFault(fault, said, sum.length);
      return said ? "fault" : meant;
    }

    /** @type {typeof judgeSum} */
    function judgeTurn(given, { dataset: { node } }) {
      const rest = steps.slice(now).map((li) => li.dataset);
      const waits = (/** @type {number} */ n) => rest.some(({ to }) => Number(to) == n);
      const begun = (/** @type {number} */ n) =>
        recorded.nodes[n].root || steps.slice(0, now).some((li) => Number(li.dataset.to) == n);
      const ready = (/** @type {number} */ n) => rest.some((it) => Number(it.node) == n) && !waits(n);
      const meant = [...boxes.keys()].filter((n) => given == "#" + n || names(n).includes(given));
      if (meant.includes(Number(node))) return "right";
      if (meant.some(ready)) return "ready";
      const early = meant.filter(waits);
      return early.some(begun) ? "waits" : early.length ? "early" : "later";
    }

    /** @type {(given: string) => void} */
    function answer(given) {
      const li = steps[now];
      const card = (li.dataset.ask == "turn" ? judgeTurn : judgeSum)(given, li) || "number";
      if (card == "right" || card == "ready") go(now + 1);
      if (!form.dataset.ask) slider.focus({ preventScroll: true }); // the field has gone
      const same = form.dataset.card == card;
      form.dataset.card = same ? "" : card;
      if (same) setTimeout(() => li == steps[now] && (form.dataset.card = card), 50); // aloud again
      form.lastElementChild?.scrollIntoView({ block: "nearest" }); // within the bar
    }

    form.onsubmit = (e) => {
      e.preventDefault();
      answer(field.value.trim());
    };
    predict.onchange = () => {
      go(steps[now]?.dataset.ask ? now : steps.findIndex((li) => li.dataset.ask));
      field.focus({ preventScroll: true });
    };
    figure.onclick = ({ target }) => {
      /** @type {SVGElement | null} */
      const box = target instanceof Element ? target.closest(".ag-node") : null;
      if (box && form.dataset.ask == "turn") answer("#" + box.dataset.node);
    };

    const mark = (/** @type {number} */ n) => [...(boxes[n] ?? []), made[n]].forEach((e) => e?.classList.add("ag-at"));
    onPoint(({ target }) => {
      if (!(target instanceof Element)) return;
      const word = target.matches(".mathnormal") ? target.textContent : "";
      boxes.forEach((box, n) => {
        const own = [...box, made[n], n == Number(at.node) && bar];
        if (own.some((e) => e && e.contains(target)) || word.includes(names(n)[0])) mark(n);
      });
    });

    read();
    const pass = steps.findIndex((li) => li.dataset.ask);
    draw(all(".predict")[0] ? pass : last); // where a page asks, it does not tell
    const visit = () => {
      const [, which, step] = location.hash.split(/^#ag-|-s/);
      if (+which == id) go(+step || 0);
    };
    addEventListener("hashchange", visit);
    addEventListener("load", visit);
    // The playground has drawn another program here.
    figure.addEventListener("redrawn", ({ detail }) => {
      clearTimeout(timer); // it is the address of what was drawn before
      if (say.firstChild != hint[0]) say.replaceChildren(...hint); // aloud, once
      read();
      detail == null ? draw(predict.checked ? steps.findIndex((li) => li.dataset.ask) : last) : go(detail);
    });
  });
}
