"""Finding things in a real browser: previews, search, and the questions' finder."""

import gzip
import re
import subprocess
import sys
from functools import cache

import pytest
from bs4 import BeautifulSoup, Tag
from gzipped import gzipped
from playwright.sync_api import Page
from questions import ASKED, HELD_OUT, START, TUNED
from ranked import RANKED
from test_browser import AXE, PAGES, RULES, SITE, address, bare, page
from test_weight import weigh

from coursebuild.extension.search import counted, postings, stems

__all__ = ["address", "bare", "page"]

LESSON = "lessons/1_foundations/30_chain_rule.html"
SCRIPTS = ["finder.js", "search.js", "stems.js", "terms.js"]
FILES = SITE.absolute().as_uri() + "/"
RANKS = """texts => texts.map(text => {
  const field = document.querySelector("#finder");
  field.value = text;
  field.dispatchEvent(new Event("input"));
  const titles = document.querySelectorAll(".finder ~ section > h2");
  return [...titles].map(title => title.textContent);
})"""
ELSEWHERE = [  # asked in the same forums, and answered nowhere on this site
    "which learning rate scheduler should I choose",
    "DataLoader num_workers freezes",
    "ModuleNotFoundError: No module named torchvision",
    "convolution output size formula",
    "nearest neighbour interpolation align_corners",
    "learning rate",
    "what is a gradient",
    "gpu",
    "softmax",
]
TRACEBACK = """Traceback (most recent call last):
  File "train.py", line 12, in step
    loss.backward()
ValueError: batch too small

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "train.py", line 14, in <module>
    loss.backward()
  File "torch/_tensor.py", line 647, in backward
    torch.autograd.backward(self, gradient, retain_graph, create_graph, inputs=inputs)
  File "torch/autograd/__init__.py", line 354, in backward
    _engine_run_backward(tensors, grad_tensors_, retain_graph, create_graph, inputs)
RuntimeError: element 0 of tensors does not require grad and does not have a grad_fn
"""
QUESTION = "questions.html#"
GROUPS = sorted((SITE / "_static/sections").glob("*.js"))
# Bytes that a search may load: as many as a page with forty lessons beside it.
HEAVIEST = 250_000
# Place, title and text of all sections, when the page has fetched all texts.
TEXTS = """async () => {
  const groups = Math.ceil(siteSections.pages.flatMap(it => it[3]).length
    / siteSections.group);
  for (let i = 0; i < groups; i++) await new Promise(done => {
    const script = document.createElement("script");
    script.src = `_static/sections/${i}.js`;
    script.onload = done;
    document.head.append(script);
  });
  const texts = siteTexts.flat();
  return siteSections.pages.flatMap(([page, , , parts]) => parts.map(
    ([place, title]) => [page + ".html" + place, title, texts.shift()]));
}"""
# Runs scripts as `python train.py` would, each in its folder, and keeps what they say:
# each in a fork, so that torch is loaded once.
TRAIN = """
import os, sys, torch, traceback
for path in sys.argv[1:]:
    if os.fork():
        os.wait()
        continue
    os.chdir(os.path.dirname(path))
    os.dup2(os.open("stderr", os.O_CREAT | os.O_WRONLY), 2)
    try:
        with open("train.py") as script:
            exec(compile(script.read(), "train.py", "exec"), {"__name__": "__main__"})
    except Exception as error:
        traceback.print_exception(error.with_traceback(error.__traceback__.tb_next))
    sys.stderr.flush()
    os._exit(0)
"""
EXCERPTS = """() => document.querySelector("#search-results li") &&
  !document.querySelector("#search-results p:last-child:empty:not([hidden])")"""
FIRST = [  # what is typed, and where the first result leads
    ("why is grad None", QUESTION + "why-is-grad-none"),
    ("Why is .grad None?", QUESTION + "why-is-grad-none"),
    ("RuntimeError: element 0 of tensors", QUESTION + "element-0-of-tensors"),
    ("RuntimeError: element 0", QUESTION + "element-0-of-tensors"),
    (TRACEBACK, QUESTION + "element-0-of-tensors"),
    ("vector jacobian", "lessons/1_foundations/50_jacobians.html"),
    ("retain_graph", "glossary.html#term-retain_graph"),
    ("retain_grad", "lessons/1_foundations/70_leaves.html"),
    ("set_to_none", QUESTION + "why-zero-grad"),
    ("nan where", (QUESTION + "why-is-my-gradient-nan", "lessons/3_debugging/60_")),
    ("second time", QUESTION + "trying-to-backward"),
    ("chain rule", ("glossary.html#term-chain-rule", "lessons/1_foundations/30_")),
    ("leaf", "glossary.html#term-leaf"),
    ("make_dot", "api.html#torchutils.make_dot"),
    ("torch.linalg.norm at 0", "atlas.html#torch.linalg.norm-x-at-0"),
    ("F.hardtanh", "atlas.html#F.hardtanh-x-at-minus-1"),
    ("broadcasting", ("glossary.html#term-broad", "lessons/1_foundations/40_")),
]
SHIFTS = """() => { globalThis.shifts = [];
  new PerformanceObserver(list => shifts.push(...list.getEntries().map(e => e.value)))
  .observe({type: "layout-shift", buffered: true}); }"""


@pytest.fixture(params=["http", "file"])
def top(request):
    """Where the site lies: behind a server, below a sub-path, or in a folder."""
    if request.param == "file":
        return FILES
    return request.getfixturevalue("address")


def preview(page: Page) -> str:
    """Return what the preview of the first term shows; "" where it shows none."""
    term = page.locator("a.term").first
    content = term.evaluate("a => getComputedStyle(a, '::after').content")
    says = term.get_attribute("aria-description")
    assert len(says) > 20
    assert content == "none" or says in content
    return "" if content == "none" else says


def test_scripts_of_finding_stay_small():
    files = [(SITE / "_static" / name).read_bytes() for name in SCRIPTS]
    sizes = [len(gzip.compress(file, mtime=0)) for file in files]
    assert min(sizes) > 50
    assert sum(sizes) <= 5500  # bytes over the wire; they saved 110,000 of an index


def test_preview_comes_with_the_pointer_and_stays_below_it(page: Page, top):
    page.goto(top + LESSON)
    term = page.locator("a.term").first
    assert not preview(page)
    term.hover()
    assert preview(page)
    box = term.bounding_box()
    page.mouse.move(box["x"] + 3, box["y"] + box["height"] + 20, steps=8)
    assert preview(page)
    page.mouse.move(5, 5, steps=8)
    assert not preview(page)


def test_preview_comes_with_the_keyboard_and_escape_closes_it(page: Page, top):
    page.goto(top + LESSON)
    page.keyboard.press("Tab")
    for _ in range(200):
        if page.evaluate("document.activeElement.matches('a.term')"):
            break
        page.keyboard.press("Tab")
    assert preview(page)
    page.keyboard.press("Escape")
    assert not preview(page)
    assert page.evaluate("document.activeElement.matches('a.term')")
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    assert preview(page)


def test_escape_closes_the_preview_under_the_pointer(page: Page, address):
    page.goto(address + LESSON)
    page.locator("a.term").first.hover()
    page.keyboard.press("Escape")
    assert not preview(page)
    page.mouse.move(5, 5)
    page.locator("a.term").first.hover()
    assert preview(page)


def test_preview_is_read_once(page: Page, address):
    """It is the link's description, and no part of its name or of the text."""
    page.goto(address + LESSON)
    term = page.locator("a.term").first
    word = term.inner_text()
    term.focus()
    tools = page.context.new_cdp_session(page)
    tools.send("DOM.enable")
    root = tools.send("DOM.getDocument")["root"]["nodeId"]
    found = {"nodeId": root, "selector": "a.term"}
    node = tools.send("DOM.querySelector", found)["nodeId"]
    [tree, *_] = tools.send("Accessibility.getPartialAXTree", {"nodeId": node})["nodes"]
    assert tree["name"]["value"].strip() == word.strip()
    assert len(tree["description"]["value"]) > 20


@pytest.mark.parametrize("width", [320, 1280])
def test_preview_fits_and_moves_nothing(page: Page, address, width):
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(address + LESSON, wait_until="networkidle")
    page.evaluate("document.fonts.ready")  # they change lines' heights
    text = "() => document.querySelector('article').offsetHeight"
    before = page.evaluate(text)
    for term in page.locator("a.term").all():
        term.focus()
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Tab")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(text) == before


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_with_a_preview_is_accessible(page: Page, address, scheme):
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.goto(address + LESSON, wait_until="networkidle")
    page.evaluate(AXE)
    page.locator("a.term").first.hover()
    assert preview(page)
    result = page.evaluate("rules => axe.run({runOnly: rules})", RULES)
    assert [(v["id"], v["nodes"][0]["html"]) for v in result["violations"]] == []


def test_term_is_a_link_without_javascript(bare: Page, address):
    bare.goto(address + LESSON)
    term = bare.locator("a.term").first
    term.hover()
    assert not preview(bare)  # nothing could close it
    place = term.get_attribute("href").partition("#")[2]
    term.click()
    bare.wait_for_url(f"**/glossary.html#{place}")
    assert bare.locator(f'[id="{place}"]').is_visible()


def test_search_shows_results_while_one_types(page: Page, top):
    page.goto(top + "search.html")
    field = page.get_by_label("Words that the page holds")
    field.press_sequentially("chain ru")
    titles = page.locator("#search-results a").all_inner_texts()
    assert "Chain rule: sum over paths" in titles[:3]
    assert "Foundations · " in page.locator("#search-results").inner_text()
    count = page.locator("#search-results li").count()
    assert count == 10
    says = page.locator("#search-status").inner_text()
    assert int(says.removesuffix(" results")) > count
    field.fill("")
    assert page.locator("#search-results li").count() == 0
    assert page.locator("#search-status").inner_text() == ""


@pytest.mark.parametrize("query", ["retain", "make_dot", "leaf", "gradient", "e"])
def test_each_result_has_an_excerpt_and_leads_to_its_place(page: Page, top, query):
    page.goto(top + "search.html?q=" + query)
    page.wait_for_function(EXCERPTS)
    found = page.locator("#search-results li").evaluate_all(
        "all => all.map(li => [...li.children].map(e => e.href ?? e.textContent))"
    )
    assert found
    for link, _where, excerpt in found:
        assert len(excerpt) > 10
        name, _, place = link.removeprefix(top).partition("#")
        text = (SITE / name).read_text()
        assert not place or f'id="{place}"' in text


def test_search_knows_every_page_and_every_place_once(page: Page, address):
    page.goto(address + "search.html")
    found = page.evaluate(TEXTS)
    places = [place for place, _, _ in found]
    assert len(set(places)) == len(places) > 300
    assert [place for place, title, _ in found if not title] == []
    assert [p for p, _, words in found if not words and "#" in p] == []
    pages = {place.partition("#")[0] for place in places}
    made = {"search.html", "genindex.html", "py-modindex.html", "404.html"}
    moved = {old for old in PAGES if 'http-equiv="refresh"' in (SITE / old).read_text()}
    assert set(PAGES) - made - moved == pages


def test_index_counts_the_words_as_the_browser_reads_them(page: Page, address):
    """Python writes the index, JavaScript reads queries: both know the same stems."""
    page.goto(address + "search.html")
    texts = [words for *_, words in page.evaluate(TEXTS)]
    read = page.evaluate("texts => texts.map(stems)", texts)
    assert sum(map(len, read)) > 50_000
    assert [stems(text) for text in texts] == read
    assert page.evaluate("siteSections.words") == postings(map(counted, texts))


READ = [
    "requiresGrad in nn.CrossEntropyLoss, a RuntimeError",
    "[N, 1] against (3,1) in-place, in place; grad-cam and non leaf",
    "zero_grad __init__ x += 1 Ellipse’s isn't",
    "Optimizer, optimisers, visualization, normalising, analyze size prize promise",
    "accumulation fitting going addition moment needed gates bus size really",
]


@pytest.mark.parametrize("text", READ)
def test_stems_are_those_of_the_browser(page: Page, address, text):
    page.goto(address + "search.html")
    assert stems(text) == page.evaluate("text => stems(text)", text)


def test_search_asks_for_no_page_and_for_each_text_once(page: Page, address):
    page.goto(address + "search.html", wait_until="networkidle")
    asked = []
    page.on("request", lambda r: asked.append(r.url))
    for query in ("leaf", "leaf node", "leaf"):
        page.get_by_label("Words that the page holds").fill(query)
        page.wait_for_function(EXCERPTS)
    assert 1 <= len(asked) <= 20
    assert len(asked) == len(set(asked))
    assert all(url.startswith(address + "_static/sections/") for url in asked)


def test_results_stand_without_texts_that_cannot_be_had(page: Page, address):
    page.route("**/_static/sections/*", lambda route: route.abort())
    page.goto(address + "search.html?q=leaf")
    page.wait_for_function(EXCERPTS)
    assert page.locator("#search-results li a").count() == 10
    assert page.locator("#search-results p:last-child:visible").count() == 0


def test_more_results_come_below_and_take_the_focus(page: Page, top):
    page.goto(top + "search.html?q=gradient")
    shown, more = page.locator("#search-results a"), page.locator("#search-more")
    count = int(page.locator("#search-status").inner_text().removesuffix(" results"))
    assert count > 20
    for number in range(10, count, 10):
        assert shown.count() == number
        more.press("Enter")
        focused = page.evaluate("document.activeElement.outerHTML")
        assert focused == shown.nth(number).evaluate("a => a.outerHTML")
    assert shown.count() == count
    assert not more.is_visible()


def test_search_is_fast_and_light(page: Page, address):
    page.goto(address + "search.html", wait_until="networkidle")
    took = page.evaluate(
        "() => { const field = document.querySelector('.search-form input');"
        "const start = performance.now();"
        "for (const q of ['l', 'le', 'lea', 'leaf']) {"
        "field.value = q; field.dispatchEvent(new Event('input')); }"
        "return (performance.now() - start) / 4; }"
    )
    assert took < 100  # milliseconds a letter; a machine at rest takes a tenth


def test_search_is_light_with_any_query(browser, capsys):
    """With the texts that come late, for words that stand everywhere or seldom."""
    queries = ("leaf", "gradient", "e", "why is grad none", "loss backward step")
    with gzipped(SITE) as address:
        page, *searches = [
            weigh(browser, f"{address}search.html{query}")
            for query in ("", *(f"?q={query}" for query in queries))
        ]
    groups = [len(gzip.compress(p.read_bytes(), 6)) for p in GROUPS]
    most = page + sum(sorted(groups)[-10:])  # ten results of the ten longest groups
    with capsys.disabled():
        print(f"\nsearch, KB: {page / 1000:.1f}, at most {most / 1000:.1f}, {searches}")
    assert 80_000 < page < min(searches)
    assert max(searches) < most + 5_000 < HEAVIEST  # each answer has a head


def test_sphinx_leaves_no_search_of_its_own():
    text = (SITE / "search.html").read_text()
    assert "sections.js" in text
    for name in ("searchindex.js", "searchtools.js", "language_data.js"):
        assert name not in text
        assert not list(SITE.rglob(name))


@pytest.mark.parametrize(("query", "first"), FIRST)
def test_search_puts_the_place_first_that_answers(page: Page, address, query, first):
    page.goto(address + "search.html")
    page.get_by_label("Words that the page holds").fill(query)
    link = page.locator("#search-results a").first.get_attribute("href")
    assert link.startswith(first)


@pytest.mark.parametrize(
    ("query", "row"),
    [
        ("clamp gradient", "torch.clamp-x-minus-1-1-at-minus-1"),
        ("torch.polar", "torch.polar-x-torch.tensor-1.0-.real-at-0"),
        ("householder nan", "torch.linalg.householder_product-x-torch.ones-1-0-0"),
    ],
)
def test_search_leads_to_a_row_of_the_atlas(page: Page, address, query, row):
    page.goto(address + "search.html")
    page.get_by_label("Words that the page holds").fill(query)
    links = page.locator("#search-results a").evaluate_all(
        "all => all.slice(0, 3).map(a => a.getAttribute('href'))"
    )
    (place,) = [link for link in links if link.startswith(f"atlas.html#{row}")]
    page.goto(address + place)
    assert page.locator(f"[id='{place.partition('#')[2]}']").is_visible()


@pytest.mark.parametrize("query", ["retain", "set_to_none", "hessian", "chain rule"])
def test_excerpt_shows_the_words_around_the_hit(page: Page, address, query):
    page.goto(address + "search.html")
    page.get_by_label("Words that the page holds").fill(query)
    page.wait_for_function(EXCERPTS)
    marked = page.locator("#search-results mark").all_inner_texts()
    assert len(marked) > 0
    begin = query.split()[0]
    assert any(begin in mark.lower() for mark in marked)


@pytest.mark.parametrize("query", ["xyzzy", "momentun", "qqq zzz"])
def test_search_that_finds_nothing_says_what_to_try(page: Page, top, query):
    page.goto(top + "search.html?q=" + query)
    advice = page.locator("#search-advice")
    assert page.locator("#search-status").inner_text().startswith("0 results")
    assert "fewer letters" in advice.inner_text()
    links = advice.locator("a").evaluate_all("all => all.map(a => a.href)")
    ends = ("questions.html", "glossary.html", "lessons/index.html")
    assert links == [top + end for end in ends]
    page.get_by_label("Words that the page holds").fill("leaf")
    assert not advice.is_visible()


@pytest.mark.parametrize(
    ("query", "near"),
    [
        ("gradiant", "gradient"),
        ("jacobean", "jacobian"),
        ("detatch", "detach"),
        ("softmaxx", "softmax"),
        ("qqqqzz", None),
    ],
)
def test_search_offers_the_word_that_is_near(page: Page, top, query, near):
    page.goto(top + "search.html?q=" + query)
    links = page.locator("#search-status a")
    assert links.all_inner_texts() == ([near] if near else [])
    if near:
        links.press("Enter")
        page.wait_for_selector("#search-results li a")


def test_search_says_that_it_reads_no_digits_and_signs(page: Page, address):
    page.goto(address + "search.html")
    for query in ("42", "x**2"):
        page.get_by_label("Words that the page holds").fill(query)
        says = page.locator("#search-status").inner_text()
        assert "Digits, signs and single letters are not searched" in says


@pytest.mark.parametrize(
    ("american", "british"),
    [
        ("feature visualization", "feature visualisation"),
        ("optimizer", "optimiser"),
        ("batch normalization", "batch normalisation"),
    ],
)
def test_search_reads_both_spellings_alike(page: Page, address, american, british):
    page.goto(address + "search.html")
    lists = []
    for query in (american, british):
        page.get_by_label("Words that the page holds").fill(query)
        titles = page.locator("#search-results a").all_inner_texts()
        lists.append((titles, page.locator("#search-status").inner_text()))
    assert len(lists[0][0]) > 1
    assert lists[0] == lists[1]
    assert stems("size prise") == stems("size prize")
    words = "promise exercise noise precise otherwise size"
    assert len({*stems(words)}) == 6


def test_glossary_is_listed_once(page: Page, address):
    page.goto(address + "search.html?q=glossary")
    links = page.locator("#search-results a").evaluate_all(
        "all => all.map(a => a.getAttribute('href'))"
    )
    assert links[0] == "glossary.html"
    assert links.count("glossary.html") == 1
    assert len(links) < 10  # its entries are found by their own words


def test_enter_in_the_sidebar_searches_from_any_page(page: Page, top):
    page.goto(top + LESSON)
    page.locator(".sidebar-search").fill("retain_grad")
    page.locator(".sidebar-search").press("Enter")
    page.wait_for_selector("#search-results li a")
    assert "search.html?q=retain_grad" in page.url


def test_search_says_what_to_do_without_javascript(bare: Page, address):
    bare.goto(address + "search.html?q=leaf")
    assert "The search needs JavaScript" in bare.locator("noscript p").inner_text()
    assert not bare.locator(".search-form").is_visible()
    bare.get_by_role("link", name="messages and questions").click()
    bare.wait_for_url("**/questions.html")


def test_search_finds_the_questions(page: Page, top):
    page.goto(top + "search.html?q=differentiated+tensors")
    page.wait_for_selector("#search-results li a")
    links = page.locator("#search-results a").evaluate_all(
        "all => all.map(a => a.href)"
    )
    assert any("questions.html" in link for link in links)


@pytest.fixture(scope="module")
def pasted(tmp_path_factory):
    """What the terminal shows when each script fails or warns."""
    paths = []
    for number, asked in enumerate(ASKED):
        path = tmp_path_factory.mktemp(f"pasted{number}") / "train.py"
        path.write_text(START + asked.script)
        paths += [path] if asked.script else []
    subprocess.run([sys.executable, "-c", TRAIN, *map(str, paths)], check=True)
    shown = {p: p.with_name("stderr").read_text(encoding="utf-8") for p in paths}
    assert all(shown.values())
    last = iter(shown.values())
    return [[next(last)] if asked.script else [] for asked in ASKED]


def rates(page: Page, texts: list[list[str]]) -> tuple[int, int, int]:
    """Return how many texts there are, found first, and found among three."""
    flat = [text for several in texts for text in several]
    wanted = [a.heading for a, s in zip(ASKED, texts, strict=True) for _ in s]
    pairs = list(zip(page.evaluate(RANKS, flat), wanted, strict=True))
    first = sum(want in order[0] for order, want in pairs)
    return len(flat), first, sum(any(w in h for h in o[:3]) for o, w in pairs)


def test_finder_puts_the_answer_to_a_pasted_message_first(page: Page, top, pasted):
    page.goto(top + "questions.html")
    count, first, _ = rates(page, pasted)
    assert (count, first) == (20, 20)


def test_finder_knows_what_students_type(page: Page, address):
    """The floors are what was seen; ``HELD_OUT`` tells what a reader may expect."""
    page.goto(address + "questions.html")
    known = [
        [*asked.typed, *asked.unseen, *tuned]
        for asked, tuned in zip(ASKED, TUNED, strict=True)
    ]
    count, first, three = rates(page, known)
    assert count == 280
    assert (first >= 272, three >= 280) == (True, True), (first, three)
    count, first, three = rates(page, [list(several) for several in HELD_OUT])
    assert count == 70
    assert (first >= 66, three >= 68) == (True, True), (first, three)


def test_finder_knows_the_ranked_questions(page: Page, address):
    """The floors are what was seen, ``held_out`` when first asked."""
    page.goto(address + "questions.html")
    assert len(RANKED) == 18
    for part, count, floor, near in (
        ("tuned", 135, 133, 135),
        ("held_out", 45, 43, 44),
    ):
        pairs = [(r.heading, text) for r in RANKED for text in getattr(r, part)]
        assert len(pairs) == count
        orders = page.evaluate(RANKS, [text for _, text in pairs])
        asked = list(zip(pairs, orders, strict=True))
        missed = [text for (want, text), order in asked if want not in order[0]]
        three = sum(any(want in h for h in order[:3]) for (want, _), order in asked)
        assert (len(missed) <= count - floor, three >= near) == (True, True), missed


@pytest.mark.parametrize("text", ELSEWHERE)
def test_finder_says_that_it_has_no_answer(page: Page, address, text):
    page.goto(address + "questions.html")
    page.get_by_label("Type your question").fill(text)
    says = page.locator(".finder [role=status]").inner_text()
    assert says.startswith("No question here ")
    link = page.get_by_role("link", name="Search all pages").get_attribute("href")
    assert link.startswith("search.html?q=")


def test_finder_reads_the_last_message_of_a_traceback(page: Page, address):
    """Its frames name ``create_graph``, and it went on after an earlier error."""
    page.goto(address + "questions.html")
    page.get_by_label("Type your question").fill(TRACEBACK)
    says = page.locator(".finder [role=status]").inner_text()
    assert "element 0 of tensors" in says


def test_finder_says_its_match_and_goes_back_to_the_order(page: Page, address):
    page.goto(address + "questions.html")
    headings = page.locator(".finder ~ section > h2").all_inner_texts()
    assert len(headings) == len(ASKED) == len(HELD_OUT) == 35
    field = page.get_by_label("Type your question")
    field.fill("checkpointing")
    first = page.locator(".finder ~ section > h2").first.inner_text()
    assert first.startswith("Checkpointing")
    says = page.locator(".finder [role=status]").inner_text()
    assert says.removeprefix("Best match: ") in first
    field.fill("")
    assert page.locator(".finder ~ section > h2").all_inner_texts() == headings
    assert page.locator(".finder [role=status]").inner_text() == ""


def test_finder_moves_nothing_before_one_types(page: Page, address):
    page.add_init_script(f"({SHIFTS})()")
    page.goto(address + "questions.html", wait_until="networkidle")
    assert sum(page.evaluate("shifts")) < 0.05


def test_questions_are_complete_without_javascript(bare: Page, address):
    bare.goto(address + "questions.html")
    assert not bare.locator("#finder").is_visible()
    parts = bare.locator(".finder ~ section").all()
    assert len(parts) == 35
    for asked, part in zip(ASKED, parts, strict=True):
        assert asked.heading in part.locator("h2").inner_text()
        assert part.locator("p:visible").count() >= 2


def said(part: Tag) -> str:
    """Return what examples and cells print, in one line."""
    spoken = part.select(".go, .gr, .sphx-glr-script-out pre, .cell_output pre")
    return " ".join(" ".join(tag.get_text() for tag in spoken).split())


def test_each_quoted_message_is_raised_where_its_answer_leads():
    """A message may be cut by an ellipsis, and by typographic quotation marks."""
    text = (SITE / "questions.html").read_text(encoding="utf-8")
    count = 0

    @cache
    def shown(link: str) -> str:
        page = (SITE / link).read_text(encoding="utf-8")
        return said(BeautifulSoup(page, "html.parser"))

    for part in BeautifulSoup(text, "html.parser").select(".finder ~ section"):
        links = {a["href"].partition("#")[0] for a in part.select("a[href^=lessons]")}
        live = said(part) + "".join(map(shown, sorted(links)))
        where = (
            f"{part.select_one('h2').get_text()} {part.select_one('.also').get_text()}"
        )
        for quoted in re.findall("“(.*?)”", " ".join(where.split())):
            count += 1
            words = quoted.replace("’", "'").rstrip(".").split("…")
            assert all(some.strip() in live for some in words), quoted
    assert count == 22


def test_ranked_pages_are_accessible(page: Page, address):
    page.emulate_media(reduced_motion="reduce")
    for name, label, text in (
        ("questions.html", "Type your question", "nan"),
        ("search.html", "Words that the page holds", "leaf"),
        ("search.html", "Words that the page holds", "xyzzy"),
    ):
        page.goto(address + name, wait_until="networkidle")
        page.get_by_label(label).fill(text)
        page.evaluate(AXE)
        result = page.evaluate("rules => axe.run({runOnly: rules})", RULES)
        assert [(v["id"], v["nodes"][0]["html"]) for v in result["violations"]] == []
