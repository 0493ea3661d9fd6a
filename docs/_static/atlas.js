// @ts-check
// Show the rows of the atlas whose call, kind and verdict are asked for.

(() => {
  /** @type {HTMLFormElement} */
  const form = document.querySelector(".atlas-filter");
  const [name, kind, verdict] = /** @type {any} */ (form.elements);
  const status = form.querySelector("p");
  const rows = [...document.querySelectorAll(".atlas tbody tr")].map((row) => ({
    row: /** @type {HTMLElement} */ (row),
    section: row.closest("section"),
    call: row.querySelector("th").textContent.toLowerCase(),
    kind: row.closest("section").querySelector("h2").firstChild.textContent,
    verdicts: row.querySelector(".verdict").innerHTML.split("<br>").map((it) => it.replace(/<\/?strong>/g, "")),
  }));
  const offer = (/** @type {HTMLSelectElement} */ select, /** @type {string[]} */ words) =>
    [...new Set(words)].forEach((word) => select.add(new Option(word)));
  offer(kind, rows.map((it) => it.kind));
  offer(verdict, rows.flatMap((it) => it.verdicts).sort());

  const filter = () => {
    const words = name.value.toLowerCase().split(/\s+/);
    for (const it of rows)
      it.row.hidden = !(
        words.every((/** @type {string} */ word) => it.call.includes(word)) &&
        (!kind.value || it.kind === kind.value) &&
        (!verdict.value || it.verdicts.includes(verdict.value))
      );
    const shown = rows.filter((it) => !it.row.hidden);
    for (const { section } of rows) section.hidden = !shown.some((it) => it.section === section);
    status.textContent = shown.length
      ? `${shown.length} of ${rows.length} points`
      : "No point has all of this. Type less of its call, or choose “all”.";
  };
  const arrive = () => {
    const row = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!row?.closest("[hidden]")) return;
    form.reset();
    filter();
    row.scrollIntoView();
  };
  form.oninput = filter;
  form.onsubmit = (event) => event.preventDefault();
  window.addEventListener("hashchange", arrive);
  form.hidden = false;
  filter();
})();
