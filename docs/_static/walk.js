// @ts-check
// Walk a recorded graph, by the steps that its text version lists.

(() => {
  /** @returns {any[]} */
  const all = (query, from) => [...from.querySelectorAll(query)];
  const read = (text) => text.replace(/−/g, "-").match(/-?[\d.]+(e[-+]?\d+)?/g)?.map(Number) ?? [];

  function walk(bar, id) {
    const figure = bar.parentElement;
    const { nodes, edges } = JSON.parse(all(".ag-data", figure)[0].textContent);
    const steps = all("li[data-node]", figure);
    const texts = all("text[data-v]", figure);
    for (const t of texts) t.full = t.textContent;
    for (const tip of all(".ag-node title", figure)) tip.remove(); // it tells the end
    bar.append(all("#ag-bar", document)[0].content.cloneNode(true));
    const [slider, count, say, predict, form, question, field] = all(".ag-part", bar);
    const at = (place) => texts.find((t) => t.dataset.v == place);
    const grad = (node) => at("r" + node) ?? at("a" + node);
    const isBack = (li) => li?.parentElement.start > 1;
    const last = (slider.max = steps.length);
    let now = last;
    let timer;

    /** Collect what the drawing says by now; true stands for all of a text. */
    function told() {
      const said = new Map();
      for (const li of steps.slice(0, now)) {
        const { node, edge } = li.dataset;
        if (edge) {
          said.set(at("s" + edge), true);
          said.set(grad(edges[edge].src), "adjoint " + all("b", li).pop().textContent);
        } else if (isBack(li)) said.set(grad(node), true);
        else {
          const [old] = all(`[data-v=b${node}]`, figure);
          said.set(at("v" + node), true).set(at("r" + node), old && "grad " + old.textContent);
        }
      }
      return said;
    }

    function draw() {
      const said = told();
      const { node, edge } = (now < last && steps[now - 1]?.dataset) || {};
      for (const t of texts) {
        const what = now == last || said.get(t);
        t.textContent = what?.big ? what : t.full;
        t.classList.toggle("ag-off", !what);
      }
      for (const { dataset, classList } of all("svg [data-node], svg [data-edge]", figure)) {
        classList.toggle("ag-on", dataset.edge ? dataset.edge == edge : dataset.node == node);
        classList.toggle("ag-to", !!edge && dataset.node == edges[edge].src);
      }
      slider.value = now;
      count.value = `${now} / ${last}`;
    }

    function go(step) {
      now = Math.min(last, Math.max(0, step));
      draw();
      say.textContent = "Nothing has run yet.";
      if (now) say.replaceChildren(...steps[now - 1].cloneNode(true).childNodes);
      ask();
      clearTimeout(timer);
      timer = setTimeout(() => history.replaceState(0, "", `#ag-${id}-s${now}`), 300);
      all(".ag-on", figure).pop()?.scrollIntoView({ block: "nearest", inline: "center" });
    }

    const goal = (key) => ({ Home: 0, ArrowLeft: now - 1, ArrowRight: now + 1, End: last })[key];
    bar.onclick = ({ target }) => {
      const to = goal(target.value);
      if (to != null) go(to);
    };
    slider.oninput = () => go(slider.value);
    figure.onkeydown = (e) => {
      const to = goal(e.key);
      if (to == null || e.target == field || e.altKey || e.ctrlKey || e.metaKey) return;
      e.preventDefault();
      go(to);
    };

    // Predict: the reader says what a backward step will do, before it is shown.
    const isSum = (li) => li.dataset.edge || all("b", li).length > 2;
    const show = (card) => all("[data-card]", form).forEach((p) => (p.hidden = p.dataset.card != card));

    function ask() {
      const li = steps[now];
      form.hidden = predict.ariaPressed != "true" || !isBack(li);
      if (form.hidden) return;
      question.textContent = isSum(li)
        ? `${li.textContent.split(":")[0]}: what is the ${li.dataset.edge ? "adjoint there" : ".grad"} now?`
        : "Whose turn is next? Click it, or type its name.";
      field.value = "";
      show();
    }

    /** Name the card for a number. */
    function judgeSum(given, li) {
      const { node, edge } = li.dataset;
      let [sum, part, old] = all("b", li).map((b) => read(b.textContent)).reverse();
      if (all("b", li).pop().dataset.v[0] == "s") [part, old] = [sum, sum.map(() => 0)];
      const g = read(grad(node).full);
      const local = edge ? part.map((x, i) => x / (g[i] ?? g[0])) : [];
      const added = local.map((x, i) => x + old[i]);
      const typed = read(given);
      const near = (x, i) => Math.abs(x - typed[i]) <= 1e-3 * Math.max(1, Math.abs(x));
      const cards = { right: sum, overwritten: part, path: old, upstream: local, "upstream ": added };
      for (const card in cards)
        if (cards[card].length == typed.length && cards[card].every(near)) return card.trim();
      return "number";
    }

    /** Name the card for a node. */
    function judgeTurn(given, { dataset: { node } }) {
      const called = Object.keys(nodes).filter((n) =>
        `#${n} = ${all(`[data-node="${n}"] text`, figure)[0].textContent}`.split(/ = |, /).includes(given));
      const n = called.includes(node) ? node : called[0];
      const rest = steps.slice(now).map((li) => li.dataset);
      return !n ? "name"
        : rest.some(({ edge }) => edge && edges[edge].src == n) ? "waits"
        : !rest.some((it) => it.node == n && !it.edge) ? "done"
        : n == node || nodes[n].kind + nodes[node].kind == "leafleaf" ? "right" : "later";
    }

    function answer(given) {
      const li = steps[now];
      const card = (isSum(li) ? judgeSum : judgeTurn)(given.trim(), li);
      if (card == "right") go(now + 1);
      show(card);
    }

    form.onsubmit = (e) => {
      e.preventDefault();
      answer(field.value);
    };
    figure.onclick = ({ target }) => {
      const g = target.closest(".ag-node");
      if (g && !form.hidden && !isSum(steps[now])) answer("#" + g.dataset.node);
    };
    predict.onclick = () => {
      predict.ariaPressed = predict.ariaPressed != "true";
      go(isBack(steps[now]) ? now : steps.findIndex(isBack));
      field.focus();
    };

    const visit = () => {
      const [, which, step] = location.hash.split(/^#ag-|-s/);
      if (which == id) go(+step || 0);
    };
    addEventListener("hashchange", visit);
    draw();
    visit();
  }

  all(".ag-walk", document).forEach((bar, i) => walk(bar, i + 1));
})();
