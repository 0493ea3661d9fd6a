// @ts-check
// Search while one types, with Sphinx's index; excerpts lie on the page.

(() => {
  const at = (id) => /** @type {any} */ (document.getElementById("search-" + id));
  const pages = JSON.parse(at("excerpts").textContent);
  /** @type {NodeListOf<HTMLInputElement>} */
  const fields = document.querySelectorAll("input[name=q]");
  // @ts-ignore: searchtools.js declares it
  const engine = Search;
  let timer;

  engine.query = engine.performSearch = (query) => {
    if (!engine.hasIndex()) return engine.deferQuery(query);
    const found = query.trim() ? engine._performSearch(...engine._parseQuery(query)).reverse() : [];
    at("results").replaceChildren(
      ...found.slice(0, 40).map(([page, title, anchor, what]) => {
        const item = at("result").content.cloneNode(true);
        const [link, level, text] = item.querySelectorAll("a, span, p");
        const [its, texts] = pages[page] ?? ["", {}];
        link.href = page + ".html" + anchor;
        link.textContent = title;
        level.textContent = what ?? its;
        text.textContent = texts[anchor] ?? texts[""] ?? "";
        return item;
      })
    );
    clearTimeout(timer);
    timer = setTimeout(() => {
      at("status").textContent = query && `${found.length} results`;
      history.replaceState(0, "", "?q=" + encodeURIComponent(query));
    }, 400);
  };

  addEventListener("input", ({ target }) => {
    if (![...fields].includes(target)) return;
    for (const field of fields) field.value = target.value;
    engine.query(target.value);
  });
})();
