"""What a page weighs for a reader who was never here, sent as GitHub Pages sends it."""

from pathlib import Path

import pytest
from chromium import find
from gzipped import gzipped
from playwright.sync_api import Browser, sync_playwright
from test_browser import FLAGS, PAGES, ROOT, SITE

LIMIT = 300_000  # bytes of one page with everything that it loads, fonts included
SCRIPTS = 15_000  # bytes of JavaScript written by us, as it stands in the sources
AT_ONCE = 6


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as tools:
        chromium = tools.chromium.launch(executable_path=find(), args=FLAGS)
        yield chromium
        chromium.close()


def weigh(browser: Browser, addresses: list[str]) -> list[int]:
    """Load pages side by side, each with an empty cache, from top to bottom."""
    opened = [_open(browser, address) for address in addresses]
    for page, _ in opened:
        page.wait_for_load_state("networkidle")
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
    for page, _ in opened:
        page.evaluate("document.fonts.ready.then(() => 0)")
        page.wait_for_load_state("networkidle")
        page.context.close()
    return [sum(received) for _, received in opened]


def _open(browser, address):
    page = browser.new_context().new_page()
    session = page.context.new_cdp_session(page)
    received = []
    session.on(
        "Network.loadingFinished", lambda e: received.append(e["encodedDataLength"])
    )
    session.send("Network.enable")
    page.goto(address, wait_until="commit")
    return page, received


def test_every_page_is_light(browser, capsys):
    weights = []
    with gzipped(SITE) as address:
        for k in range(0, len(PAGES), AT_ONCE):
            weights += weigh(browser, [address + p for p in PAGES[k : k + AT_ONCE]])
    rows = sorted(zip(weights, PAGES, strict=True), reverse=True)
    with capsys.disabled():
        print("\nKB over the wire, cache empty:")
        print("\n".join(f"{weight / 1000:8.1f}  {page}" for weight, page in rows))
    alone = {"404.html"}  # holds its own style, and loads nothing
    assert min(w for w, page in rows if page not in alone) > 20_000
    assert rows[0][0] < LIMIT


def test_scale_counts_what_a_page_loads_and_compresses_text(browser, tmp_path: Path):
    (tmp_path / "a.html").write_text(
        "<!doctype html><link rel=stylesheet href=a.css><p>a<img src=a.png>"
        "<style>@font-face{font-family:a;src:url(a.woff2)}p{font-family:a}</style>"
    )
    (tmp_path / "a.css").write_text("/*" + "a" * 100_000 + "*/")
    (tmp_path / "a.png").write_bytes(bytes(50_000))
    (tmp_path / "a.woff2").write_bytes(bytes(20_000))
    with gzipped(tmp_path) as address:
        (weight,) = weigh(browser, [address + "a.html"])
    assert 70_000 < weight < 73_000


def test_scripts_of_ours_are_small():
    sizes = [path.stat().st_size for path in ROOT.glob("docs/_static/**/*.js")]
    assert 0 < sum(sizes) <= SCRIPTS
