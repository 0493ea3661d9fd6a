"""Copy buttons, the 404 page and redirects in a real browser, below a sub-path."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from served import BELOW, served
from test_browser import AXE, RULES
from toy import PAGE, Site

DEEP = "not/there/at-all.html"
CODE = """
A session:

```python
>>> import torch
>>> for n in range(2):
...     print(n)
0
1
```

A shell:

```sh
$ make html
The site is ready
$ make serve
```
"""
COPIED = {
    "a cell": "6 * 7",
    "a session": "import torch\nfor n in range(2):\n    print(n)",
    "a shell": "make html\nmake serve",
}


@pytest.fixture(scope="module")
def addresses(
    reference: Site, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """Serve a site without address, and one that knows where it is served."""
    top = tmp_path_factory.mktemp("served")
    folders = {name: top / name for name in ("plain", "reached")}
    for folder in folders.values():
        (folder / BELOW.strip("/")).parent.mkdir(parents=True)
    site = reference.copy(top / "site")
    with served(folders["plain"]) as plain, served(folders["reached"]) as reached:
        urls = f'\n[project.urls]\nHomepage = "{reached}"\n'
        site.write("pyproject.toml", site.read("pyproject.toml") + urls)
        site.write(PAGE, site.read(PAGE) + CODE)
        site.write("docs/redirects.txt", "old/place page\n")
        done = site.build()
        assert done.code == 0, done
        for name, html in {"plain": reference.html, "reached": site.html}.items():
            (folders[name] / BELOW.strip("/")).symlink_to(html.resolve())
        yield {"plain": plain, "reached": reached}
    shutil.rmtree(site.root)


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.grant_permissions(["clipboard-read"])
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def bare(browser: Browser) -> Iterator[Page]:
    """A page without JavaScript."""
    context = browser.new_context(java_script_enabled=False)
    yield context.new_page()
    context.close()


def violations(page: Page) -> list[str]:
    """Return what axe finds, light and dark, on a desktop and a small phone."""
    page.evaluate(AXE)
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        for width in (1280, 320):
            page.set_viewport_size({"width": width, "height": 800})
            result = page.evaluate("rules => axe.run({runOnly: rules})", RULES)
            found += [f"{scheme} {width} {v['id']}" for v in result["violations"]]
            assert page.evaluate("document.documentElement.scrollWidth") <= width
    return found


@pytest.mark.parametrize(("number", "what"), list(enumerate(COPIED)))
def test_copy_button_leaves_prompts_and_outputs_out(
    page: Page, addresses: dict[str, str], number: int, what: str
) -> None:
    page.goto(addresses["reached"] + "page.html")
    button = page.get_by_role("button", name="Copy to clipboard").nth(number)
    button.press("Enter")
    assert page.evaluate("navigator.clipboard.readText()") == COPIED[what]


def test_copy_buttons_stand_beside_code_and_nowhere_else(
    page: Page, addresses: dict[str, str]
) -> None:
    page.goto(addresses["reached"] + "page.html")
    page.wait_for_selector("button.copybtn")
    assert page.locator("button.copybtn").count() == len(COPIED)
    assert page.locator(".cell_output button.copybtn").count() == 0


def test_copying_is_said_aloud(page: Page, addresses: dict[str, str]) -> None:
    page.goto(addresses["reached"] + "page.html")
    say = page.get_by_role("status")
    assert say.inner_text() == ""
    page.locator("button.copybtn").first.press("Enter")
    assert say.inner_text() == "Copied"
    page.wait_for_selector("button.copybtn.success", state="detached")
    page.locator("h1").click()
    assert say.inner_text() == ""


def test_copy_button_is_seen_by_keyboard_and_fingers_not_on_paper(
    page: Page, browser: Browser, addresses: dict[str, str]
) -> None:
    page.goto(addresses["reached"] + "page.html")
    page.emulate_media(reduced_motion="reduce")
    button = page.locator("button.copybtn").first
    opacity = "e => getComputedStyle(e).opacity"
    assert button.evaluate(opacity) == "0"
    button.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    assert button.evaluate("e => e === document.activeElement")
    assert button.evaluate(opacity) == "1"
    assert button.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
    page.emulate_media(media="print")
    assert not button.is_visible()
    phone = browser.new_context(has_touch=True, is_mobile=True)
    touched = phone.new_page()
    touched.goto(addresses["reached"] + "page.html")
    first = touched.locator("button.copybtn").first
    first.evaluate("e => Promise.all(e.getAnimations().map(a => a.finished))")
    assert first.evaluate(opacity) == "1"
    box = first.bounding_box()
    assert box
    assert min(box["width"], box["height"]) >= 24
    phone.close()


def test_code_scrolls_past_the_button_on_a_phone(
    browser: Browser, addresses: dict[str, str]
) -> None:
    phone = browser.new_context(has_touch=True, is_mobile=True)
    page = phone.new_page()
    page.set_viewport_size({"width": 320, "height": 700})
    page.goto(addresses["reached"] + "lessons/0_toy/10_alpha.html")
    page.wait_for_selector("button.copybtn")
    gaps = page.evaluate("""() => [...document.querySelectorAll("button.copybtn")].map(
      (button) => {
        const code = button.previousElementSibling;
        code.scrollLeft = code.scrollWidth;
        const text = document.createRange();
        text.selectNodeContents(code);
        return button.getBoundingClientRect().left - text.getBoundingClientRect().right;
      })""")
    assert len(gaps) > 2
    assert min(gaps) >= 0
    phone.close()


def test_page_with_copy_buttons_is_accessible(
    page: Page, addresses: dict[str, str]
) -> None:
    page.goto(addresses["reached"] + "page.html")
    page.locator("button.copybtn").first.press("Enter")
    assert violations(page) == []


@pytest.mark.parametrize("site", ["plain", "reached"])
def test_missing_page_is_answered_and_asks_for_nothing(
    page: Page, addresses: dict[str, str], site: str
) -> None:
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda r: asked.append(r.url))
    page.on("console", lambda m: said.append(m.text))
    answer = page.goto(addresses[site] + DEEP, wait_until="networkidle")
    assert answer
    assert answer.status == 404
    assert page.locator("h1").inner_text() == "There is no page at this address"
    shown = [url for url in asked if not url.startswith("data:")]
    assert shown == [addresses[site] + DEEP]
    assert len(said) == 1  # the browser's own line about the status
    assert violations(page) == []


def test_missing_page_leads_to_lessons_and_front_page(
    page: Page, addresses: dict[str, str]
) -> None:
    for link, place in {
        "Alpha": "lessons/0_toy/10_alpha.html",
        "The front": "",
    }.items():
        page.goto(addresses["reached"] + DEEP)
        page.get_by_role("link", name=link).click()
        page.wait_for_url(addresses["reached"] + place)
        assert page.locator("h1").inner_text() != "There is no page at this address"


def test_missing_page_searches(page: Page, addresses: dict[str, str]) -> None:
    page.goto(addresses["reached"] + DEEP)
    page.get_by_role("searchbox").fill("alpha")
    page.keyboard.press("Enter")
    page.wait_for_url(addresses["reached"] + "search.html?q=alpha")
    page.wait_for_selector("#search-results li a")


@pytest.mark.parametrize("start", [DEEP, "not/there/", "not.html"])
def test_missing_page_without_address_leads_up_to_the_front(
    bare: Page, addresses: dict[str, str], start: str
) -> None:
    top = addresses["plain"]
    bare.goto(top + start)
    for _ in range(4):
        if bare.url == top:
            break
        in_folder = bare.url.endswith("/")
        bare.get_by_text("the folder above" if in_folder else "the start of").click()
    assert bare.url == top
    assert bare.locator("h1").inner_text().startswith("Toy")


def test_redirect_is_followed(
    page: Page, bare: Page, addresses: dict[str, str]
) -> None:
    said: list[str] = []
    page.on("console", lambda m: said.append(m.text))
    for each in (page, bare):
        each.goto(addresses["reached"] + "old/place.html")
        each.wait_for_url(addresses["reached"] + "page.html")
    assert said == []
