// @ts-check
// Show the rows of the atlas whose call, kind and verdict are asked for; the address keeps what was asked.

(() => {
  /** @type {FindAll} */
  const all = (query, from = document) => Array.from(from.querySelectorAll(query));
  /** @type {HTMLFormElement[]} */
  const [form] = all(".atlas-filter");
  /** @type {HTMLInputElement[]} */
  const [name] = all("input", form);
  /** @type {HTMLSelectElement[]} */
  const choices = all("select", form);
  const [kind, verdict] = choices;
  const fields = [name, ...choices];
  const [status] = all("p", form);
  const plain = (/** @type {string} */ text) => text.toLowerCase().replaceAll("−", "-");
  const rows = all(".atlas tbody tr").map((row) => {
    const section = row.closest("section") ?? row;
    return {
      row,
      section,
      call: plain(all("th", row)[0].textContent),
      kind: all("h2", section)[0].firstChild?.textContent ?? "",
      verdicts: all(".verdict", row)[0].innerHTML.split("<br>").map((it) => it.replace(/<\/?strong>/g, "")),
    };
  });
  const offer = (/** @type {HTMLSelectElement} */ select, /** @type {string[]} */ words) =>
    [...new Set(words)].forEach((word) => select.add(new Option(word)));
  let timer = 0; // not each letter: browsers allow few changes of an address at once

  const filter = () => {
    const words = plain(name.value).split(/\s+/);
    for (const it of rows)
      it.row.hidden = !(
        words.every((word) => it.call.includes(word)) &&
        (!kind.value || it.kind === kind.value) &&
        (!verdict.value || it.verdicts.includes(verdict.value))
      );
    const shown = rows.filter((it) => !it.row.hidden);
    for (const { section } of rows) section.hidden = !shown.some((it) => it.section === section);
    status.textContent = shown.length
      ? `${shown.length} of ${rows.length} points`
      : "No point has all of this. Type less of its call, or choose “all”.";
  };
  const keep = (hash = "") => {
    clearTimeout(timer);
    const asked = new URLSearchParams(fields.filter((it) => it.value).map((it) => [it.name, it.value]));
    timer = setTimeout(() => history.replaceState(null, "", `${location.pathname}${asked.size ? `?${asked}` : ""}${hash}`), 300);
  };
  const arrive = () => {
    const there = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!there?.closest("[hidden]")) return;
    form.reset();
    filter();
    keep(location.hash);
    there.scrollIntoView();
    all("a", there)[0].focus({ preventScroll: true });
  };

  offer(kind, rows.map((it) => it.kind));
  offer(verdict, rows.flatMap((it) => it.verdicts).sort());
  const asked = new URLSearchParams(location.search);
  for (const field of fields) {
    field.value = asked.get(field.name) ?? "";
  }
  for (const select of choices) if (select.selectedIndex < 0) select.selectedIndex = 0; // of another release
  form.oninput = () => (filter(), keep());
  form.onsubmit = (event) => event.preventDefault();
  window.addEventListener("hashchange", arrive);
  form.hidden = false;
  filter();
  arrive();
})();
