// @ts-check
// Walk a graph by its text version's steps, predict them, find their code.

{
  /** @returns {any[]} */
  const all = (query, from = document) => [...from.querySelectorAll(query)];
  const unmark = () => all(".ag-at").forEach((e) => e.classList.remove("ag-at"));
  // Not pointerover: a page may scroll under a resting pointer.
  const pointing = ["pointermove", "pointerdown", "focusin"];
  const onPoint = (act) => pointing.forEach((it) => addEventListener(it, act));
  onPoint(unmark);
  const page = document.documentElement.style;

  all(".ag-walk").forEach((bar, i) => {
    const id = i + 1;
    const figure = bar.parentElement;
    const our = (query) => all(query, figure);
    const names = (n) => boxes[n][0].querySelector("text").textContent.split(/ = |, /);
    bar.append(all("#ag-bar")[0].content.cloneNode(true));
    const [predict, slider, count, say, form, question, shape, field, fault] = our(".ag-part");
    const [leaves] = our(".ag-leaves");
    const hint = [...say.childNodes];
    let steps, boxes, made, nodes, edges, last, now, at, timer;

    function read() {
      steps = our("li[data-node]");
      steps.forEach((li) => li.removeAttribute("id")); // ours to follow
      // All boxes of a node: the wide drawing's, the narrow one's.
      boxes = [];
      for (const box of our(".ag-node")) (boxes[box.dataset.node] ??= []).push(box);
      ({ nodes, edges } = JSON.parse(our(".ag-data")[0].textContent));
      last = slider.max = steps.length;
      // Code: the line that made each node.
      const lines = all("[data-made]").map((line) => [line, line.dataset.made.split(" ")]);
      made = boxes.map((_, n) => lines.find(([, nodes]) => nodes.includes(`${id}-${n}`))?.[0]);
      made.forEach((line) => line && !line.closest("[aria-hidden]") && (line.tabIndex = 0));
    }

    function draw(step) {
      slider.value = step;
      now = +slider.value;
      const place = `${now} / ${last}`;
      if (count.value != place) count.value = place; // aloud, once
      for (const line of our("[data-from]")) {
        const { from, to } = line.dataset;
        const own = line.style.visibility || line.getAttribute("visibility") || "inherit";
        const due = now < from || now >= to ? "hidden" : "inherit";
        if (own != due) line.style.visibility = due;
      }
      at = (now < last && steps[now - 1]?.dataset) || {};
      for (const { dataset: it, classList } of our("svg [data-node], svg [data-edge]")) {
        classList.toggle("ag-on", it.edge ? it.edge == at.edge : it.node == at.node);
        classList.toggle("ag-to", it.node == (at.to ?? -1));
      }
      unmark();
      mark(at.node);
      ask();
    }

    function go(step) {
      draw(step);
      say.replaceChildren(...(steps[now - 1]?.cloneNode(true).childNodes ?? ["Nothing has run yet."]));
      clearTimeout(timer);
      timer = setTimeout(() => history.replaceState(0, "", (figure.dataset.address ?? `#ag-${id}-s`) + now), 300);
      page.scrollPaddingBottom = bar.offsetHeight + "px";
      farther("svg, .ag-on", ".ag-to").scrollIntoView({ block: "nearest", inline: "center" });
      page.scrollPaddingBottom = "";
    }

    // Sender or receiver: the one in sight must not leave the other above the window.
    function farther(one, other) {
      const [sender, receiver = sender] = [one, other].map((it) => our(it).filter((e) => e.checkVisibility()).pop());
      const [a, b] = [sender, receiver].map((e) => e.getBoundingClientRect().top / innerHeight - 0.5);
      return Math.abs(b - a) < 0.4 && Math.abs(b) > Math.abs(a) ? receiver : sender;
    }

    const keys = { Home: () => go(0), ArrowLeft: () => go(now - 1), ArrowRight: () => go(now + 1), End: () => go(last) };
    slider.oninput = () => go(slider.value);
    bar.onclick = ({ target }) => keys[target.value]?.();
    figure.onkeydown = (e) => {
      if (!(e.key in keys) || e.target.type == "text" || e.altKey || e.ctrlKey || e.metaKey) return;
      e.preventDefault();
      keys[e.key]();
    };

    // Predict: each judge names a card.
    function numbers(b) {
      const { textContent: text, dataset } = b;
      return leaves?.at(dataset.v) ?? (/…|number/.test(text) ? [] : readNumbers(text).numbers);
    }

    function ask() {
      const li = steps[now];
      const about = (predict.checked && !predict.disabled && li?.dataset.ask) || "";
      const known = about == "turn" || (about && all("b", li).every((b) => numbers(b).length));
      form.dataset.card = field.value = "";
      form.dataset.ask = known ? about : "";
      question.textContent = li?.textContent.split(":")[0];
      shape.textContent = li?.dataset.ask ? shapeOf(li.dataset) : "";
    }

    function shapeOf({ node, edge, to }) {
      const { outputs, shape } = nodes[to ?? node];
      const sizes = outputs?.[edges[edge]?.out]?.shape ?? shape ?? [];
      return sizes.length ? `shape (${sizes.join(", ")}${sizes[1] ? "" : ","})` : "a scalar";
    }

    function judgeSum(given, li) {
      let [sum, part, old] = all("b", li).reverse().map(numbers);
      if (li.dataset.ask == "first") [part, old] = [sum, sum.map(() => 0)];
      const g = numbers(our(`b[data-v=a${li.dataset.node}]`)[0]);
      const local = part.map((x, i) => x / (g[i] ?? g[0]));
      const upstream = local.map((x, i) => x + old[i]);
      const cards = { right: sum, overwritten: part, path: old, upstream, local };
      const typed = readNumbers(given, sum.length);
      const meant = Object.keys(cards).find((c) => nearNumbers(cards[c], typed.numbers));
      const said = typed.fault || (!meant && nearNumbers(sum, typed.numbers, isRounded) ? "near" : "");
      sayFault(fault, said, sum.length);
      return said ? "fault" : meant;
    }

    function judgeTurn(given, { dataset: { node } }) {
      const rest = steps.slice(now).map((li) => li.dataset);
      const waits = (n) => rest.some(({ to }) => to == n);
      const ready = (n) => rest.some((it) => it.node == n) && !waits(n);
      const meant = [...boxes.keys()].filter((n) => given == "#" + n || names(n).includes(given));
      if (meant.some((n) => n == node)) return "right";
      return meant.some(ready) ? "ready" : meant.some(waits) ? "waits" : "later";
    }

    function answer(given) {
      const li = steps[now];
      const card = (li.dataset.ask == "turn" ? judgeTurn : judgeSum)(given, li) || "number";
      if (card == "right" || card == "ready") go(now + 1);
      if (!form.dataset.ask) slider.focus({ preventScroll: true }); // the field has gone
      const same = form.dataset.card == card;
      form.dataset.card = same ? "" : card;
      if (same) setTimeout(() => li == steps[now] && (form.dataset.card = card), 50); // aloud again
      form.lastElementChild.scrollIntoView({ block: "nearest" }); // within the bar
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
      const box = target.closest(".ag-node");
      if (box && form.dataset.ask == "turn") answer("#" + box.dataset.node);
    };

    const mark = (n) => [...(boxes[n] ?? []), made[n]].forEach((e) => e?.classList.add("ag-at"));
    onPoint(({ target }) => {
      const word = target.matches(".mathnormal") ? target.textContent : "";
      boxes.forEach((box, n) => {
        const own = [...box, made[n], n == at.node && bar];
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
