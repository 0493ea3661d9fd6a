// @ts-check
// Search the sections of all pages while one types.

(() => {
  /** @type {FindAll} */
  const all = (query, from = document) => Array.from(from.querySelectorAll(query));
  const [status, advice, list, , more] = all("[id^=search-]");
  /** @type {HTMLTemplateElement[]} */
  const [{ content }] = all("#search-result");
  /** @type {HTMLInputElement[]} */
  const [field] = all(".search-form input");
  const WEIGHTS = { title: 3, taught: 3, page: 2, text: 1, begun: 0.6 };
  const ENOUGH = 0.5; // of the words, the rare ones counted more
  const SHOWN = 10; // at first, and with each request for more
  const WINDOW = 30; // words of an excerpt

  const parts = siteSections.pages.flatMap(([page, name, level, sections]) =>
    sections.map(([place, title, terms]) => {
      const [head, taught] = [stems(title), stems(terms)];
      return {
        href: `${page}.html${place}`,
        title,
        where: [level, place && name].filter(Boolean).join(" · "),
        counts: /** @type {Map<string, number>} */ (new Map()),
        size: 0, // in words
        head: new Set(head),
        taught: new Set(taught),
        name: new Set(stems(name)),
        pairs: new Set([...pairs(head), ...pairs(taught)]),
        own: new Set([...head, ...taught]),
      };
    })
  );
  // A step leads to the next section with the word; below 0: its count there, if not 1.
  for (const [word, steps] of Object.entries(siteSections.words)) {
    let at = -1;
    for (const step of steps) {
      if (step > 0) at += step;
      const part = parts[at];
      part.size += step > 0 ? 1 : -step - 1;
      part.counts.set(word, step > 0 ? 1 : -step);
      part.own.add(word);
    }
  }
  const usual = parts.reduce((sum, { size }) => sum + size, 0) / parts.length;
  const known = new Set(parts.flatMap(({ own, name }) => [...own, ...name]));

  // What can be meant by a misspelt word: whole words, which titles and terms hold.
  const whole = new Set(
    siteSections.pages
      .flatMap(([, , , sections]) => sections.map(([, title, terms]) => `${title} ${terms}`))
      .flatMap((text) => text.toLowerCase().match(/[a-z]{3,}/g) ?? [])
  );

  /** How many letters are missing, too many or others; two that changed places are one. */
  const apart = (/** @type {string} */ a, /** @type {string} */ b) => {
    /** @type {number[][]} */
    const rows = [[...b, ""].map((_, j) => j)];
    for (let i = 1; i <= a.length; i++) {
      const [row, last] = [[i], rows[i - 1]];
      for (let j = 1; j <= b.length; j++) {
        row[j] = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + +(a[i - 1] != b[j - 1]));
        if (i > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
          row[j] = Math.min(row[j], rows[i - 2][j - 2] + 1);
      }
      rows.push(row);
    }
    return rows[a.length][b.length];
  };

  /** The query with known words for those that no section holds, if they are near. */
  const meant = (/** @type {string} */ query) =>
    query.replace(/[a-z]{4,}/gi, (word) => {
      if (stems(word).every((it) => known.has(it))) return word;
      const most = word.length > 5 ? 2 : 1;
      const near = [...whole]
        .filter((other) => Math.abs(other.length - word.length) <= most)
        .map((other) => ({ other, far: apart(word.toLowerCase(), other) }))
        .sort((a, b) => a.far - b.far)[0];
      return near?.far <= most ? near.other : word;
    });

  /** How much of a word a section holds; a title that says nothing else holds it twice. */
  const weigh = (/** @type {typeof parts[number]} */ part, /** @type {string} */ word) => {
    const count = part.counts.get(word) ?? 0;
    return (
      (part.head.has(word) ? WEIGHTS.title * (1 + 1 / part.head.size) : 0) +
      (part.taught.has(word) ? WEIGHTS.taught : 0) +
      (part.name.has(word) ? WEIGHTS.page : 0) +
      (WEIGHTS.text * 2 * count) / (count + 0.5 + (0.5 * part.size) / usual)
    );
  };

  /** A word, what begins like the one that is still typed, each section's share in it. */
  const term = (/** @type {string} */ word, open = false) => {
    const forms = new Set([word]);
    if (open) for (const other of known) if (other.startsWith(word)) forms.add(other);
    const shares = parts.map((part) =>
      [...forms].reduce((most, it) => Math.max(most, weigh(part, it) * (it == word ? 1 : WEIGHTS.begun)), 0)
    );
    const n = shares.filter(Boolean).length;
    return { word, forms, shares, rare: Math.log(1 + (parts.length - n + 0.5) / (n + 0.5)) };
  };

  /** @typedef {ReturnType<typeof term>} Term */

  /** @returns {Term[]} */
  const read = (/** @type {string} */ query) => {
    const words = stems(message(query));
    const end = query.toLowerCase().match(/[a-z_]+$/)?.[0];
    const last = end && (stems(end)[0] ?? end);
    return [...new Set([...words, ...(last ? [last] : [])])].map((word) => term(word, word == last));
  };

  const rank = (/** @type {Term[]} */ terms, /** @type {string} */ query) => {
    const rare = new Map(terms.map((it) => [it.word, it.rare]));
    const all = terms.reduce((sum, it) => sum + it.rare, 0);
    const near = pairs(stems(message(query)));
    return parts
      .map((part, i) => {
        const held = terms.filter(({ shares }) => shares[i]);
        const own = held.some(({ forms }) => [...forms].some((form) => part.own.has(form)));
        const sum = held.reduce((sum, it) => sum + it.rare * it.shares[i], 0);
        const together = near
          .filter((pair) => part.pairs.has(pair))
          .flatMap((pair) => pair.split(" "))
          .reduce((sum, word) => sum + (rare.get(word) ?? 0), 0);
        const share = held.reduce((sum, it) => sum + it.rare, 0) / all;
        return { part, share, score: own ? (sum + together) * share : 0 };
      })
      .filter(({ score, share }) => score && share >= ENOUGH)
      .sort((a, b) => b.score - a.score)
      .map(({ part }) => part);
  };

  /** @type {Promise<void>[]} */
  const groups = [];
  /** The text of a section, which comes with its group: a script, since files may not be asked for. */
  const text = async (/** @type {number} */ section) => {
    const group = Math.floor(section / siteSections.group);
    await (groups[group] ??= new Promise((done) => {
      const script = document.createElement("script");
      script.src = `_static/sections/${group}.js`;
      script.onload = script.onerror = () => done();
      document.head.append(script);
    }));
    return siteTexts[group]?.[section % siteSections.group] ?? "";
  };

  /** @type {Map<string, string[]>} */
  const memory = new Map();
  const remembered = (/** @type {string} */ word) => {
    if (!memory.has(word)) memory.set(word, stems(word));
    return memory.get(word) ?? [];
  };

  /** The words around the place with the most that was looked for, with marks. */
  const excerpt = (/** @type {string} */ text, /** @type {Term[]} */ terms) => {
    const words = text.split(" ");
    const hits = words.map((word) => {
      const own = remembered(word);
      return Math.max(0, ...terms.map((it) => (own.some((stem) => it.forms.has(stem)) ? it.rare : 0)));
    });
    let [start, most, sum] = [0, 0, 0];
    hits.forEach((hit, i) => {
      sum += hit - (hits[i - WINDOW + 6] ?? 0);
      if (sum > most + 1e-9) [start, most] = [Math.max(0, i - WINDOW + 7), sum];
    });
    const first = hits.findIndex((hit, i) => hit && i >= start);
    start = Math.max(0, first - 6);
    const found = words.slice(start, start + WINDOW).flatMap((word, i) => {
      if (!hits[start + i]) return [word, " "];
      const mark = document.createElement("mark");
      mark.append(word);
      return [mark, " "];
    });
    return [start ? "… " : "", ...found, start + WINDOW < words.length ? "…" : ""];
  };

  const search = () => {
    const query = field.value.trim();
    const terms = read(query);
    const found = terms.length ? rank(terms, query) : [];
    advice.hidden = !query || found.length > 0;
    status.textContent = !query
      ? ""
      : !found.length
        ? "0 results. What you can try:"
        : found.length == 1
          ? "1 result"
          : `${found.length} results`;
    const better = found.length ? query : meant(query);
    if (better != query) {
      const link = document.createElement("a");
      link.href = `?q=${encodeURIComponent(better)}`;
      link.append(better);
      status.replaceChildren("0 results. Did you mean ", link, "? What you can try:");
    } else if (query && !terms.length) {
      status.textContent = "0 results. Digits, signs and single letters are not searched. What you can try:";
    }
    list.replaceChildren();
    const show = () => {
      const first = list.childElementCount;
      for (const part of found.slice(first, first + SHOWN)) {
        const item = content.cloneNode(true);
        /** @type {HTMLAnchorElement[]} */
        const [link] = all("a", item);
        const [where, around] = all("p", item);
        link.href = part.href;
        link.append(part.title);
        where.append(part.where);
        text(parts.indexOf(part)).then((words) => {
          around.append(...excerpt(words, terms));
          around.hidden = !words;
        });
        list.append(item);
      }
      more.hidden = list.childElementCount == found.length;
      return all("li > a", list)[first];
    };
    show();
    more.onclick = () => show().focus();
  };
  field.value = new URLSearchParams(location.search).get("q") ?? "";
  field.oninput = search;
  search();
})();
