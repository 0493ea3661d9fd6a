// @ts-check
// The practice page: one exercise after the other, or a sheet of ten, and what is remembered.

(() => {
  /** @type {FindAll} */
  const all = (query, from = document) => Array.from(from.querySelectorAll(query));
  const key = "practice " + new URL("../..", /** @type {HTMLScriptElement} */ (document.currentScript).src);
  const [page] = all(".pr");
  /** @type {HTMLSelectElement[]} */
  const [kind, level] = all("select", page);
  /** @type {HTMLInputElement[]} */
  const [number, field] = all("[type=number], [type=text]", page);
  const [one, sheet] = all("section", page);
  const [stage] = all(".pr-stage", one);
  /** @type {HTMLFormElement[]} */
  const [choose, form] = all("form", page);
  /** @type {HTMLButtonElement[]} */
  const [check, give] = all("button", form);
  const [status] = all(".pr-says", form);
  const [after] = all(".pr-after", one);
  const [next] = all("button", after);
  /** @type {HTMLAnchorElement[]} */
  const [play, other] = all("a", page);
  const [forgotten] = all(".pr-kept [role=status]", page);
  /** @type {HTMLTemplateElement[]} */
  const [words, template] = all("#pr-words, #pr-item");
  const { KINDS: names, make } = exercises;
  const WAITS = [2, 4]; // exercises, until what went wrong comes again; then once more
  /** @type {Exercise} */
  let now;
  let tries = 0;
  /** How many were answered, how many at first; what is to come again: how often found, when.
   * @type {{ count: number, first: number, due: Record<string, [number, number] | undefined> }} */
  let kept = { count: 0, first: 0, due: {} };
  let again = false; // whether the exercise is one of those that come again
  let here = ""; // the address that is shown

  const inTurn = (/** @type {number} */ seed) => (kind.value == "mixed" ? names[seed % names.length] : kind.value);
  const makeAt = (/** @type {number} */ seed) => make(inTurn(seed), +level.value, seed);
  const title = (/** @type {string} */ name) => all(`[value=${name}]`, kind)[0].textContent;
  const address = (/** @type {number | string} */ seed, ten = !sheet.hidden) => `#kind=${kind.value}&level=${level.value}&seed=${seed}${ten ? "&ten" : ""}`;
  const write = (/** @type {number[]} */ numbers) => numbers.join(", ").replaceAll("-", "−");

  const says = (/** @type {string} */ what) => all("p." + what, words.content)[0].cloneNode(true);

  function asked(/** @type {Exercise} */ it) {
    const part = says(it.what);
    const named = playground.run(it.program).nodes.find(({ names }) => names.includes(it.name.split(",")[0]));
    const { shape = [] } = named ?? {};
    /** @type {Record<string, string | undefined>} */
    const texts = {
      name: it.name,
      sender: it.sender,
      claimed: it.claimed && drawing.show(it.claimed, shape),
      shape: shape.length ? `shape (${shape.join(", ")}${shape[1] ? "" : ","})` : "a scalar",
    };
    for (const place of all("[class]", part)) place.textContent = texts[place.className] ?? "";
    return part;
  }

  /** What an exercise shows, or, with its answer, all there is. @type {(it: Exercise, whole: boolean) => DocumentFragment} */
  function picture(it, whole) {
    const part = template.content.cloneNode(true);
    const [code, figure] = all(".pr-code, figure", part);
    code.textContent = it.program;
    if (!whole && !it.see.program) code.remove();
    const result = playground.run(it.program);
    if (result.fault || (!whole && !it.see.draw)) return figure.remove(), part;
    const made = drawing.draw(result, page.clientWidth, whole ? {} : it.see.draw);
    const [place, words] = all(".ag-scroll, .ag-text", figure);
    place.innerHTML = made.svg;
    place.ariaLabel = made.name;
    words.innerHTML = made.words;
    return part;
  }

  function show() {
    now = makeAt(+number.value);
    tries = 0;
    all("h2", one)[0].textContent = `${title(now.kind)}, level ${now.level}, number ${now.seed}`;
    all("#pr-question")[0].replaceChildren(asked(now));
    stage.replaceChildren(picture(now, false));
    status.replaceChildren();
    field.value = "";
    play.href = "playground.html#p=" + encodeURIComponent(now.program);
    form.classList.remove("pr-done");
    after.hidden = true;
    field.readOnly = check.disabled = give.disabled = false;
  }

  function finish(/** @type {boolean} */ found) {
    status.replaceChildren(says(found ? "right" : "given"));
    if (!found) all("b", status)[0].append(write(now.answer));
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
    if (what == "shape" || claimed) return text.replace(claimed ? /[a-z][a-z.]*|[=:]/gi : /[a-z][a-z.]*|[=:×]/gi, " ");
    if (what != "none") return text.replace(/^\s*[a-z][\w.]*\s*=/i, "");
    const names = name.split(", ");
    /** @type {string[]} */
    const words = text.toLowerCase().match(/\w+/g) ?? [];
    const given = names.map((it) => +words.includes(it));
    const only = words.every((it) => names.includes(it) || /^(and|are|is|grad|none|nothing)$/.test(it));
    // One None is no name, several are an answer for each.
    if (only && (given.includes(1) || words.length == 1)) return given.join();
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
    if (said == "number" && what == "none") status.replaceChildren(says("names"));
    else if (said && !card) sayFault(status, said, count); // no try
    else {
      tries++;
      status.replaceChildren(says("other"));
      const mistake = all(`[data-card="${card}"]`)[0];
      if (mistake) status.innerHTML = `<p><strong>${mistake.innerHTML}</strong> ${mistake.nextElementSibling?.innerHTML}</p>`;
    }
    status.scrollIntoView({ block: "nearest" });
  };

  give.onclick = () => finish(false);

  function recall() {
    try {
      kept = JSON.parse(localStorage[key]) ?? kept;
    } catch {}
    const [count, first] = all(".pr-kept b", page);
    count.textContent = String(kept.count);
    first.textContent = String(kept.first);
    const again = Object.keys(kept.due).map((skill) => skill.replace(/\w+/, (name) => title(name) + ", level"));
    all(".pr-kept span", page)[0].textContent = again.length ? `Coming again: ${again.join("; ")}.` : "";
  }

  function remember(/** @type {boolean} */ first) {
    forgotten.textContent = "";
    const skill = `${now.kind} ${now.level}`;
    const found = first ? (kept.due[skill]?.[0] ?? WAITS.length - 1) + 1 : 0;
    kept.count++;
    kept.first += +first;
    if (WAITS[found]) kept.due[skill] = [found, kept.count + WAITS[found]];
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
    const note = (/** @type {string} */ name) => kept.due[`${name} ${level.value}`];
    const due = names.filter((name) => (note(name)?.[1] ?? Infinity) <= kept.count);
    const others = names.filter((name) => !note(name));
    const wanted = again && others.length ? others : due;
    again = wanted == due && !!due[0];
    const seed = +number.value + 1;
    const turn = [...names.keys()].map((k) => seed + k).find((k) => wanted.includes(inTurn(k)));
    return (kind.value == "mixed" && turn) || seed;
  }

  function print() {
    const ten = [...Array(10).keys()].map((k) => makeAt(+number.value + k));
    const which = `${title(kind.value)}, level ${level.value}, from number ${number.value}`;
    all("h2", sheet)[0].textContent = "Ten exercises: " + which;
    all("summary", sheet)[0].textContent = "Answers: " + which; // on paper, a page apart
    all("ol", sheet).forEach((list, answers) => {
      list.innerHTML = "<li>".repeat(10);
      all("li", list).forEach((li, k) => li.append(...(answers ? [write(ten[k].answer)] : [asked(ten[k]), picture(ten[k], false)])));
    });
  }

  /** Show what the address says; true if it says something. */
  function arrive() {
    const said = new URLSearchParams(location.hash.slice(1));
    const [own, height, seed] = ["kind", "level", "seed"].map((it) => said.get(it) ?? "");
    const known = (own == "mixed" || names.includes(own)) && /^[1-4]$/.test(height) && /^[1-9]\d{0,5}$/.test(seed);
    if (known) [kind.value, level.value, number.value] = [own, height, seed];
    const ten = known && said.has("ten");
    one.hidden = ten;
    sheet.hidden = !ten;
    other.href = address(number.value, !ten);
    other.textContent = ten ? "Back to one exercise after the other" : "Ten of these on a sheet, to print";
    if (ten) print();
    else show();
    here = location.hash;
    return known;
  }

  const go = (/** @type {number | string} */ seed) => {
    number.value = String(seed);
    history.pushState(0, "", address(seed));
    arrive();
  };

  choose.onchange = () => number.reportValidity() && go(number.value);
  choose.onsubmit = (event) => event.preventDefault();
  next.onclick = () => {
    go(following());
    one.scrollIntoView({ behavior: "instant" });
    field.focus({ preventScroll: true });
  };
  all(".pr-kept button", page)[0].onclick = () => {
    kept = { count: 0, first: 0, due: {} };
    store();
    forgotten.textContent = "Forgotten.";
  };
  all(".pr-sheet button", page)[0].onclick = () => window.print();
  addEventListener("hashchange", () => {
    // The address of a place on this page shows no other exercise, nor does the way back from it.
    if (location.hash == here || !location.hash.includes("=")) return;
    const was = sheet.hidden;
    arrive();
    if (sheet.hidden != was) all("h2", was ? sheet : one)[0].focus(); // the link that was followed stands below
  });

  page.hidden = false;
  recall();
  number.value = String(1 + ((Math.random() * 999) | 0));
  if (!arrive()) history.replaceState(0, "", (here = address(number.value)));
})();
