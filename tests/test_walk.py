"""Walking a graph in a real browser: every number, by keyboard, and predicted."""

import json
import re
from pathlib import Path

import pytest
import torch
from chromium import find
from playwright.sync_api import Page, sync_playwright
from test_browser import AXE, FLAGS, PAGES, ROOT, RULES, SITE

from torchutils import record_backward
from torchutils.html import stylesheet
from torchutils.values import show

STATIC = ROOT / "docs" / "_static"
DATA = re.compile(r'<script type="application/json" class="ag-data">(.*?)</script>')
GRAPHS = [
    pytest.param(name, i, json.loads(data), id=f"{Path(name).stem}-{i}")
    for name in PAGES
    for i, data in enumerate(DATA.findall((SITE / name).read_text()))
]
TEXTS = """figure => Object.fromEntries([...figure.querySelectorAll("text[data-v]")]
  .filter(t => getComputedStyle(t).visibility == "visible")
  .map(t => [t.dataset.v, t.textContent]))"""
MARKS = """figure => [...figure.querySelectorAll(".ag-say b")]
  .map(b => [b.dataset.v, b.textContent])"""
SVG = """figure => figure.querySelector("svg").outerHTML
  .replace(/<title>[^]*?<.title>/g, "").replaceAll(' class=""', "")"""
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; base-uri 'none'"


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as tools:
        chromium = tools.chromium.launch(executable_path=find(), args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser):
    context = browser.new_context(
        viewport={"width": 1280, "height": 900}, reduced_motion="reduce"
    )
    page = context.new_page()
    page.set_default_timeout(5000)
    errors = []
    page.on("pageerror", lambda e: errors.append(str(e)))
    page.on("console", lambda m: errors.append(m.text))
    yield page
    context.close()
    assert errors == []


def visit(page: Page, name: str, step: str = "") -> None:
    page.goto((SITE / name).as_uri() + step)


def find_faults(page: Page) -> list[str]:
    """Return what axe finds in the figures."""
    page.evaluate(AXE)
    call = "rules => axe.run({include: ['figure.ag']}, {runOnly: rules})"
    found = page.evaluate(call, RULES)["violations"]
    return [f"{v['id']}: {v['nodes'][0]['html'][:120]}" for v in found]


def figures(page: Page):
    return page.locator("figure.ag:has(.ag-walk)")


def serve(page: Page, *drawings, step: str = "", theme: str = "light") -> None:
    """Show figures on a page of their own, under a strict policy."""
    bar = (ROOT / "docs/_templates/walk.html").read_text()
    bar = re.sub(r"\{\{.*?\}\}", "#", re.sub(r"\{#.*?#\}", "", bar))
    files = {f.name: f.read_text() for f in STATIC.glob("*.*s")}
    files["furo.css"] = (SITE / "_static/styles/furo.css").read_text()
    files["drawing.css"] = stylesheet()
    sheets = ("furo.css", "drawing.css", "site.css", "walk.css")
    links = "".join(f'<link rel="stylesheet" href="{name}">' for name in sheets)
    scripts = "".join(f'<script defer src="{n}"></script>' for n in ("walk.js",))
    html = "".join(d.html for d in drawings)
    files[""] = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Walk</title>'
        f'{links}{scripts}<body data-theme="{theme}"><main>{html}</main>{bar}'
    )
    kinds = {"css": "text/css", "js": "text/javascript", "": "text/html"}

    def answer(route):
        name = route.request.url.split("/", 3)[3].split("#")[0]
        route.fulfill(
            body=files[name],
            content_type=kinds[name.rpartition(".")[2]],
            headers={"Content-Security-Policy": POLICY},
        )

    page.route("http://walk.test/**", answer)
    page.goto(f"http://walk.test/{step}")


def diamond():
    """Make y = x · x², at 3, with gradient contributions 9 and 18."""
    x = torch.tensor(3.0, requires_grad=True)
    z = x**2
    y = x * z
    return record_backward(y, {"x": x, "z": z, "y": y})


def vector():
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = torch.dot(x, x**2)
    return record_backward(y, {"x": x, "y": y})


def second_pass():
    w = torch.tensor(2.0, requires_grad=True)
    (w * 3).backward()
    y = w * 4
    return record_backward(y, {"w": w, "y": y})


def plus(a, b):
    if isinstance(a, list):
        return [plus(x, y) for x, y in zip(a, b, strict=True)]
    return b if a is None or isinstance(b, str) else a + b


def text(value) -> str:
    def freeze(v):
        return tuple(map(freeze, v)) if isinstance(v, list) else v

    return show(freeze(value))


def signed(value) -> str:
    return f"({text(value)})" if text(value).startswith("-") else text(value)


def story(graph: dict) -> tuple[list[dict], dict]:
    """Tell from what torch recorded what each step shows, and every number."""
    nodes, edges = graph["nodes"], graph["edges"]
    seen, frames, sums, numbers = {}, [{}], {}, {}
    for n in graph["forward"]:
        node = nodes[n]
        before = dict(node.get("attrs", ())).get("grad before")
        seen[f"v{n}"] = numbers[f"v{n}"] = text(node.get("value"))
        if node["kind"] == "leaf":
            numbers[f"b{n}"] = text(before)
            seen[f"r{n}"] = f"grad {text(before)}"
        frames.append(dict(seen))
    for n in graph["backward"]:
        node = nodes[n]
        numbers[f"a{n}"] = text(node["adjoint"])
        seen[f"a{n}"] = f"adjoint {text(node['adjoint'])}"
        numbers[f"r{n}"] = text(node.get("grad"))
        seen[f"r{n}"] = f"grad {text(node.get('grad'))}"
        frames.append(dict(seen))
        own = [(e["arg"], k) for k, e in enumerate(edges) if e["dst"] == n]
        for _, k in sorted(own):
            if (part := edges[k].get("grad")) is None:
                continue
            to = edges[k]["src"]
            sums[to] = plus(sums.get(to), part)
            numbers[f"s{k}"], numbers[f"p{k}"] = text(part), text(sums[to])
            seen[f"s{k}"] = f"+ {signed(part)}"
            seen[f"a{to}"] = seen[f"r{to}"] = f"adjoint {text(sums[to])}"
            frames.append(dict(seen))
    return frames, numbers


def tab_into(page: Page, i: int) -> None:
    """Reach a figure with the Tab key."""
    inside = "i => document.querySelectorAll('figure.ag:has(.ag-walk)')[i]"
    for _ in range(500):
        page.keyboard.press("Tab")
        if page.evaluate(f"i => ({inside})(i).contains(document.activeElement)", i):
            return
    raise AssertionError("the keyboard does not reach the figure")


def test_there_are_graphs_to_walk():
    assert len(GRAPHS) >= 10


def test_scripts_of_the_walk_are_small():
    files = [f for f in STATIC.glob("*.js") if f.name != "scroll.js"]
    assert sum(f.stat().st_size for f in files) <= 8192


@pytest.mark.parametrize(("name", "i", "graph"), GRAPHS)
def test_keyboard_alone_shows_what_torch_recorded(page: Page, name, i, graph):
    visit(page, name)
    figure = figures(page).nth(i)
    places = figure.evaluate(TEXTS)
    frames, numbers = story(graph)
    tab_into(page, i)
    page.keyboard.press("Home")
    for k, frame in enumerate(frames):
        now = places if k == len(frames) - 1 else frame
        expected = {p: now[p] for p in places if p in now}
        assert (k, figure.evaluate(TEXTS)) == (k, expected)
        for place, number in figure.evaluate(MARKS):
            assert (place, number) == (place, numbers[place])
        page.keyboard.press("ArrowRight")
    assert figure.locator("output").inner_text() == f"{k} / {k}"


@pytest.mark.parametrize(("name", "i", "graph"), GRAPHS)
def test_final_step_is_the_static_drawing(browser, page: Page, name, i, graph):
    context = browser.new_context(java_script_enabled=False)
    bare = context.new_page()
    visit(bare, name)
    static = figures(bare).nth(i).evaluate(SVG)
    context.close()
    visit(page, name)
    figure = figures(page).nth(i)
    figure.locator("input[type=range]").focus()
    for key in ("Home", "ArrowRight", "End"):
        page.keyboard.press(key)
    assert figure.evaluate(SVG) == static


def test_steps_lead_back_the_way_they_came(page: Page):
    serve(page, vector())
    figure = figures(page)
    there, back = [], []
    figure.locator("button[value=Home]").click()
    for _ in range(9):
        there.append(figure.evaluate(TEXTS))
        page.keyboard.press("ArrowRight")
    for _ in range(9):
        page.keyboard.press("ArrowLeft")
        back.append(figure.evaluate(TEXTS))
    assert back[::-1] == there


def test_buttons_and_slider_do_what_keys_do(page: Page):
    serve(page, vector())
    figure = figures(page)
    seen = []
    for value in ("Home", "ArrowRight", "ArrowRight", "ArrowLeft", "End"):
        figure.locator(f"button[value={value}]").click()
        seen.append(figure.locator("output").inner_text())
    figure.locator("input[type=range]").fill("4")
    seen.append(figure.locator("output").inner_text())
    assert seen == ["0 / 9", "1 / 9", "2 / 9", "1 / 9", "9 / 9", "4 / 9"]


def test_step_is_in_the_address_and_comes_back(page: Page):
    serve(page, diamond(), vector())
    figures(page).nth(1).locator("button[value=Home]").click()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    page.wait_for_url("**/#ag-2-s5")
    page.reload()
    shown = [o.inner_text() for o in page.locator("output").all()]
    assert shown == ["9 / 9", "5 / 9"]


@pytest.mark.parametrize(
    ("step", "shown"),
    [("#ag-1-s3", "3 / 9"), ("#ag-1-s99", "9 / 9"), ("#ag-7-s3", "9 / 9")],
)
def test_address_names_a_step(page: Page, step, shown):
    serve(page, diamond())
    page.evaluate("step => location.hash = step", step)
    page.wait_for_function(
        "shown => document.querySelector('output').value == shown", arg=shown
    )


def test_other_keys_are_left_alone(page: Page):
    serve(page, diamond())
    figures(page).locator("button[value=End]").click()
    for key in ("Alt+Home", "Control+Home", "a", "ArrowUp"):
        page.keyboard.press(key)
    assert page.locator("output").inner_text() == "9 / 9"


def test_two_figures_walk_by_themselves(page: Page):
    serve(page, vector(), vector())
    before = figures(page).nth(0).evaluate(SVG)
    figures(page).nth(1).locator("button[value=Home]").click()
    assert figures(page).nth(0).evaluate(SVG) == before


def test_walk_needs_no_script_to_be_told(browser):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    name, i, graph = next(p for p in GRAPHS if "/" in p.values[0]).values
    visit(page, name)
    figure = figures(page).nth(i)
    assert not figure.locator(".ag-walk").is_visible()
    assert figure.locator("ol li").count() == len(story(graph)[0]) - 1
    context.close()


def test_each_step_keeps_the_layout(page: Page):
    serve(page, vector())
    page.evaluate("""() => { window.shifts = []; new PerformanceObserver(list =>
        shifts.push(...list.getEntries().map(e => e.value))
    ).observe({type: "layout-shift", buffered: true}); }""")
    figure = figures(page)
    figure.locator("button[value=Home]").click()
    heights = set()
    for _ in range(10):
        heights.add(figure.bounding_box()["height"])
        page.keyboard.press("ArrowRight")
    page.wait_for_timeout(200)
    assert (len(heights), page.evaluate("shifts")) == (1, [])


@pytest.mark.parametrize("width", [1280, 390])
def test_bar_appears_in_the_room_kept_for_it(browser, width):
    name = "lessons/1_foundations/20_the_graph_behind_y.html"
    heights = []
    for block in ("**/walk.js*", "**/nothing"):
        context = browser.new_context(viewport={"width": width, "height": 900})
        page = context.new_page()
        page.route(block, lambda route: route.abort())
        visit(page, name)
        boxes = [f.bounding_box() for f in figures(page).all()]
        heights.append([b["height"] for b in boxes])
        context.close()
    assert heights[0] == heights[1]


def test_thousand_steps_leave_nothing_behind(page: Page):
    serve(page, vector())
    tools = page.context.new_cdp_session(page)
    tools.send("Performance.enable")

    def used() -> dict[str, float]:
        tools.send("HeapProfiler.collectGarbage")
        metrics = tools.send("Performance.getMetrics")["metrics"]
        return {m["name"]: m["value"] for m in metrics}

    walk = """async n => { const figure = document.querySelector("figure.ag");
      for (let k = 0; k < n; k++) figure.dispatchEvent(new KeyboardEvent("keydown",
        {key: ["Home", "ArrowRight", "ArrowRight", "ArrowLeft", "End"][k % 5]}));
      await new Promise(done => setTimeout(done, 400)); }"""
    page.evaluate(walk, 100)
    before = used()
    page.evaluate(walk, 1000)
    after = used()
    assert after["Nodes"] <= before["Nodes"] + 20
    assert after["JSEventListeners"] == before["JSEventListeners"]
    assert after["JSHeapUsedSize"] <= before["JSHeapUsedSize"] + 100_000


@pytest.mark.parametrize(("motion", "moves"), [("reduce", 0), ("no-preference", 1)])
def test_reduced_motion_is_respected(page: Page, motion, moves):
    page.emulate_media(reduced_motion=motion)
    serve(page, diamond(), step="#ag-1-s5")
    running = page.evaluate("document.getAnimations().length")
    assert min(running, 1) == moves


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_walk_and_prediction_are_accessible(page: Page, theme, width):
    page.set_viewport_size({"width": width, "height": 900})
    serve(page, diamond(), vector(), theme=theme)
    figures(page).nth(0).locator(".ag-predict").click()
    figures(page).nth(0).locator("form.ag-ask input").fill("x")
    page.keyboard.press("Enter")
    figures(page).nth(1).locator("button[value=Home]").click()
    page.keyboard.press("ArrowRight")
    assert find_faults(page) == []


# Steps of the diamond: 1 x, 2 z, 3 y; 4 y's turn, 5 y to x, 6 y to z; 7 z's turn,
# 8 z to x; 9 x's turn.  A prediction made at a step is about the next one.
PREDICTIONS = [
    (diamond, 3, "y", "right"),
    (diamond, 3, "mul", "right"),
    (diamond, 3, "#0", "right"),
    (diamond, 3, "x", "waits"),
    (diamond, 3, "q", "name"),
    (diamond, 4, "9", "right"),
    (diamond, 4, "9.0009", "right"),
    (diamond, 4, "9.1", "number"),
    (diamond, 4, "", "number"),
    (diamond, 6, "y", "done"),
    (diamond, 6, "x", "waits"),
    (diamond, 7, "27", "right"),
    (diamond, 7, "18", "overwritten"),
    (diamond, 7, "9", "path"),
    (diamond, 7, "6", "upstream"),
    (diamond, 7, "15", "upstream"),
    (vector, 7, "[3, 12, 27]", "right"),
    (vector, 7, "3 12 27", "right"),
    (vector, 7, "2, 8, 18", "overwritten"),
    (vector, 7, "1, 4, 9", "path"),
    (vector, 7, "2, 4, 6", "upstream"),
    (vector, 7, "3, 12", "number"),
    (second_pass, 4, "7", "right"),
    (second_pass, 4, "4", "overwritten"),
    (second_pass, 4, "3", "path"),
]


@pytest.mark.parametrize(("make", "step", "given", "card"), PREDICTIONS)
def test_prediction_gets_its_card(page: Page, make, step, given, card):
    serve(page, make(), step=f"#ag-1-s{step}")
    page.locator(".ag-predict").click()
    page.locator("form.ag-ask input").fill(given)
    page.keyboard.press("Enter")
    now = page.locator("output").inner_text().split(" / ")
    assert int(now[0]) == step + (card == "right")
    if now[0] != now[1]:
        shown = page.locator("[data-card]:visible")
        assert [c.get_attribute("data-card") for c in shown.all()] == [card]


def test_prediction_of_a_leaf_that_could_go_as_well(page: Page):
    a, b = (torch.tensor(v, requires_grad=True) for v in (2.0, 3.0))
    drawing = record_backward(a * b, {"a": a, "b": b})
    second = drawing.graph.backward[-1]
    step = sum(len(p) for p in [drawing.graph.forward]) + 3
    serve(page, drawing, step=f"#ag-1-s{step}")
    page.locator(".ag-predict").click()
    page.locator(f".ag-node[data-node='{second}']").click()
    assert page.locator("output").inner_text() == f"{step + 1} / {step + 2}"


def test_prediction_of_an_operation_that_ran_earlier(page: Page):
    x = torch.tensor(2.0, requires_grad=True)
    u, v = x.sin(), x.exp()
    drawing = record_backward(u + v, {"x": x, "u": u, "v": v})
    serve(page, drawing, step="#ag-1-s7")
    page.locator(".ag-predict").click()
    page.locator(".ag-node", has_text="u = sin").click()
    assert page.locator("[data-card=later]").is_visible()
    page.locator(".ag-node", has_text="v = exp").click()
    assert page.locator("output").inner_text() == "8 / 12"


def test_prediction_starts_where_backward_starts(page: Page):
    serve(page, diamond())
    page.locator(".ag-predict").click()
    assert page.locator("output").inner_text() == "3 / 9"
    assert page.locator("form.ag-ask input").evaluate(
        "e => e == document.activeElement"
    )
    page.locator(".ag-predict").click()
    assert not page.locator("form.ag-ask").is_visible()


def test_nothing_tells_the_answer_on_hover(page: Page):
    serve(page, diamond())
    assert page.locator(".ag-node title").count() == 0
