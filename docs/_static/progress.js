// @ts-check
// Remember in this browser what was found, missed at first, read.

(() => {
  /** @type {FindAll} */
  const all = (query) => Array.from(document.querySelectorAll(query));
  const root = new URL("..", /** @type {HTMLScriptElement} */ (document.currentScript).src);
  const key = "progress " + root;
  const page = (/** @type {string} */ url) => url.split(/[?#]/)[0];
  const forms = all(".ask");
  // A question is known by its section, and by its place there if it is not the first.
  /** @type {Map<EventTarget, string>} */
  const names = new Map();
  for (const form of forms) {
    const { id } = form.closest("section") ?? form;
    const before = [...names.values()].filter((name) => name.split(".")[0] == id).length;
    names.set(form, `${id}${before ? `.${before}` : ""}`);
  }
  const id = (/** @type {EventTarget | null} */ form = null) => page(location.href) + (form ? "#" + names.get(form) : "");
  const missed = (/** @type {EventTarget | null} */ form) => id(form) + "!";
  const [line] = all(".progress");
  /** @type {string[]} */
  let kept = []; // in storage too, unless that is refused

  /** @type {HTMLAnchorElement[]} */
  const links = all(".sidebar-tree a, .lesson-card a");

  function show() {
    try {
      kept = [...JSON.parse(localStorage[key])];
    } catch {}
    for (const form of forms) form.parentElement?.classList.toggle("found", kept.includes(id(form)));
    for (const link of links)
      link.classList.toggle("read", kept.includes(page(link.href)));
    const found = forms.filter((it) => kept.includes(id(it)));
    const first = found.filter((it) => !kept.includes(missed(it)));
    const counts = [found, first, all(".sidebar-tree .read")].map((them) => them.length);
    all(".progress b").forEach((it, i) => (it.textContent = String(counts[i])));
    const [n, once] = counts;
    const says = n < forms.length ? +!!n : once == n ? 4 : once * 2 < n ? 2 : 3;
    all(".score > *").forEach((it, i) => (it.hidden = i != says));
  }

  /** @type {(...more: string[]) => void} */
  function keep(...more) {
    kept = more[0] ? [...new Set([...kept, ...more])] : [];
    try {
      localStorage[key] = JSON.stringify(kept);
    } catch {}
    show();
  }

  show();
  addEventListener("pageshow", show);
  addEventListener("found", (e) => keep(id(e.target)));
  addEventListener("missed", ({ target }) => kept.includes(id(target)) || keep(missed(target)));
  if (!line) return;
  all(".progress button")[0].onclick = () => keep();
  // A quiz asks, too, and is no lesson.
  if (forms[0] && id().startsWith(root + "lessons/"))
    new IntersectionObserver(([it]) => it.isIntersecting && keep(id())).observe(line);
})();
