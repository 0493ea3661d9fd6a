// @ts-check
// Search while one types, in Sphinx's index.

(() => {
  /** @type {any} */
  const [status, list, { content }, data] = document.querySelectorAll("[id^=search-]");
  const texts = JSON.parse(data.textContent);
  // @ts-ignore
  const sphinx = Search;

  sphinx.query = sphinx.performSearch = (query) => {
    if (!sphinx.hasIndex()) return sphinx.deferQuery(query);
    const found = sphinx._performSearch(...sphinx._parseQuery(query)).reverse();
    status.textContent = query && found.length + " results";
    list.replaceChildren(
      ...found.map(([page, title, place]) => {
        const item = content.cloneNode(true);
        const [, link, text] = item.querySelectorAll("*");
        link.href = page + ".html" + place;
        link.append(title);
        text.append(texts[page + place] ?? texts[page]);
        return item;
      })
    );
  };
  oninput = (/** @type {any} */ { target }) => target.name == "q" && sphinx.query(target.value);
})();
