// @ts-check
// The practice page: one exercise after the other, or a sheet of ten, and what is remembered.

(() => {
  /** @returns {any} */
  const find = (query, from = document) => from.querySelector(query);
  const key = "practice " + new URL("../..", /** @type {any} */ (document.currentScript).src);
  const page = find(".pr");
  const [kind, level] = page.querySelectorAll("select");
  const number = find("[type=number]", page);
  const [one, sheet] = page.querySelectorAll("section");
  const stage = find(".pr-stage", one);
  const form = find(".pr-ask", one);
  const [field, check, give] = form.elements;
  const status = find(".pr-says", form);
  const after = find(".pr-after", one);
  const [next, play] = after.children;
  const forgotten = find(".pr-kept [role=status]", page);
  const { KINDS: names, make } = exercises;
  const WAITS = [2, 4]; // exercises, until what went wrong comes again; then once more
  let now; // the exercise
  let tries;
  let kept;
  let again; // whether the exercise is one of those that come again
  let here; // the address that is shown

  const inTurn = (seed) => (kind.value == "mixed" ? names[seed % names.length] : kind.value);
  const makeAt = (seed) => make(inTurn(seed), +level.value, seed);
  const title = (name) => find(`[value=${name}]`, kind).text;
  const address = (seed, ten = !sheet.hidden) => `#kind=${kind.value}&level=${level.value}&seed=${seed}${ten ? "&ten" : ""}`;
  const write = (numbers) => numbers.map((x) => String(x).replace("-", "−")).join(", ");

  const says = (what) => find("p." + what, find("#pr-words").content).cloneNode(true);

  function asked(it) {
    const part = says(it.what);
    /** @type {any} */
    const named = playground.run(it.program).nodes.find(({ names }) => names.includes(it.name.split(",")[0]));
    const { shape } = named;
    const texts = {
      ...it,
      claimed: it.claimed && drawing.show(it.claimed, shape),
      shape: shape.length ? `shape (${shape.join(", ")}${shape[1] ? "" : ","})` : "a scalar",
    };
    for (const place of part.querySelectorAll("[class]")) place.textContent = texts[place.className];
    return part;
  }

  /** What an exercise shows, or, with its answer, all there is. */
  function picture(it, all) {
    const part = find("#pr-item").content.cloneNode(true);
    const [code, figure] = part.children;
    code.textContent = it.program;
    if (!all && !it.see.program) code.remove();
    if (!all && !it.see.draw) return figure.remove(), part;
    const made = drawing.draw(playground.run(it.program), page.clientWidth, all ? {} : it.see.draw);
    const [place, words] = figure.children;
    place.innerHTML = made.svg;
    place.ariaLabel = made.name;
    words.innerHTML = made.words;
    return part;
  }

  function show() {
    now = makeAt(+number.value);
    tries = 0;
    find("h2", one).textContent = `${title(now.kind)}, level ${now.level}, number ${now.seed}`;
    find("#pr-question").replaceChildren(asked(now));
    stage.replaceChildren(picture(now, false));
    status.replaceChildren();
    field.value = "";
    play.href = "playground.html#p=" + encodeURIComponent(now.program);
    form.classList.remove("pr-done");
    after.hidden = true;
    field.readOnly = check.disabled = give.disabled = false;
  }

  function finish(found) {
    status.replaceChildren(says(found ? "right" : "given"));
    if (!found) find("b", status).append(write(now.answer));
    stage.replaceChildren(picture(now, true));
    form.classList.add("pr-done");
    field.readOnly = check.disabled = give.disabled = true;
    after.hidden = false;
    next.focus();
    remember(found && !tries);
  }

  /** What was typed: the names of those without .grad may stand for the 1s, and words around places and sizes. */
  function typed() {
    const { what, name, claimed } = now;
    const text = field.value;
    if (what == "shape" || claimed) return text.replace(/[a-z][a-z.]*|[=:]/gi, " ");
    if (what != "none") return text.replace(/^\s*[a-z][\w.]*\s*=/i, "");
    const names = name.split(", ");
    const words = text.match(/\w+/g) ?? [];
    const given = names.map((it) => +words.includes(it));
    const only = words.every((it) => names.includes(it) || /^(and|are|is|none)$/i.test(it));
    if (only && given.includes(1)) return given.join();
    return text.replace(/none|true/gi, "1").replace(/tensor|false/gi, "0");
  }

  form.onsubmit = (event) => {
    event.preventDefault();
    const { answer, cards, what } = now;
    // How many sizes a shape has is a part of the question.
    const count = what == "shape" ? 0 : answer.length;
    const { numbers, fault } = readNumbers(typed(), count);
    if (nearNumbers(answer, numbers)) return finish(true);
    const [card] = cards.find(([, them]) => nearNumbers(them, numbers)) ?? [];
    const said = fault || (nearNumbers(answer, numbers, isRounded) ? "near" : "");
    field.select();
    if (said && !card) sayFault(status, said, count); // no try
    else {
      tries++;
      status.replaceChildren(says("other"));
      const mistake = find(`[data-card="${card}"]`);
      if (mistake) status.innerHTML = `<p><strong>${mistake.innerHTML}</strong> ${mistake.nextElementSibling.innerHTML}</p>`;
    }
    status.scrollIntoView({ block: "nearest" });
  };

  give.onclick = () => finish(false);

  // What is remembered: how many, how many at first, and what is to come again: how often found, when.
  function recall() {
    try {
      kept = JSON.parse(localStorage[key]);
    } catch {}
    kept ??= { count: 0, first: 0, due: {} };
    const [count, first] = page.querySelectorAll(".pr-kept b");
    count.textContent = kept.count;
    first.textContent = kept.first;
    const again = Object.keys(kept.due).map((skill) => skill.replace(/\w+/, (name) => title(name) + ", level"));
    find(".pr-kept span", page).textContent = again.length ? `Coming again: ${again.join("; ")}.` : "";
  }

  function remember(first) {
    forgotten.textContent = "";
    const skill = `${now.kind} ${now.level}`;
    const found = first ? (kept.due[skill]?.[0] ?? WAITS.length - 1) + 1 : 0;
    kept.count++;
    kept.first += +first;
    if (found < WAITS.length) kept.due[skill] = [found, kept.count + WAITS[found]];
    else delete kept.due[skill];
    store();
  }

  function store() {
    try {
      localStorage[key] = JSON.stringify(kept);
    } catch {}
    recall();
  }

  /** The number of the next exercise: with all kinds in turn, the next one of a kind that is due.
   * Not twice in a row while another kind has not gone wrong: three would keep the rest out. */
  function following() {
    const note = (name) => kept.due[`${name} ${level.value}`];
    const due = names.filter((name) => note(name)?.[1] <= kept.count);
    const others = names.filter((name) => !note(name));
    const wanted = again && others.length ? others : due;
    again = wanted == due && due.length > 0;
    const seed = +number.value + 1;
    if (kind.value != "mixed" || !wanted.length) return seed;
    return [...names.keys()].map((k) => seed + k).find((k) => wanted.includes(inTurn(k)));
  }

  function print() {
    const all = names.concat(names).slice(0, 10).map((_, k) => makeAt(+number.value + k));
    const item = (...parts) => {
      const li = document.createElement("li");
      li.append(...parts);
      return li;
    };
    const [questions, answers] = sheet.querySelectorAll("ol");
    const which = `${title(kind.value)}, level ${level.value}, from number ${number.value}`;
    find("h2", sheet).textContent = "Ten exercises: " + which;
    find("summary", sheet).textContent = "Answers: " + which; // on paper, a page apart
    questions.replaceChildren(...all.map((it) => item(asked(it), picture(it, false))));
    answers.replaceChildren(...all.map((it) => item(write(it.answer))));
  }

  /** Show what the address says; true if it says something. */
  function arrive() {
    const said = new URLSearchParams(location.hash.slice(1));
    /** @type {any[]} */
    const [own, height, seed] = ["kind", "level", "seed"].map((it) => said.get(it));
    const known = (own == "mixed" || names.includes(own)) && /^[1-4]$/.test(height) && /^[1-9]\d{0,5}$/.test(seed);
    if (known) [kind.value, level.value, number.value] = [own, height, seed];
    const ten = known && said.has("ten");
    one.hidden = ten;
    sheet.hidden = !ten;
    const link = find(".pr-ten", page);
    link.href = address(number.value, !ten);
    link.textContent = ten ? "Back to one exercise after the other" : "Ten of these on a sheet, to print";
    if (ten) print();
    else show();
    here = location.hash;
    return known;
  }

  const go = (seed) => {
    number.value = seed;
    history.pushState(0, "", address(seed));
    arrive();
  };

  find(".pr-choose", page).onchange = () => number.reportValidity() && go(number.value);
  find(".pr-choose", page).onsubmit = (event) => event.preventDefault();
  next.onclick = () => {
    go(following());
    one.scrollIntoView({ behavior: "instant" });
    field.focus({ preventScroll: true });
  };
  find(".pr-kept button", page).onclick = () => {
    kept = { count: 0, first: 0, due: {} };
    store();
    forgotten.textContent = "Forgotten.";
  };
  find(".pr-sheet button", page).onclick = () => window.print();
  addEventListener("hashchange", () => {
    // The address of a place on this page shows no other exercise, nor does the way back from it.
    if (location.hash == here || !location.hash.includes("=")) return;
    const was = sheet.hidden;
    arrive();
    if (sheet.hidden != was) find("h2", was ? sheet : one).focus(); // the link that was followed stands below
  });

  page.hidden = false;
  recall();
  number.value = 1 + ((Math.random() * 999) | 0);
  if (!arrive()) history.replaceState(0, "", (here = address(number.value)));
})();
