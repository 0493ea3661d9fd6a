"""What a page weighs for a reader who was never here, sent as GitHub Pages sends it."""

import gzip
import random
import re
from pathlib import Path

from gzipped import gzipped
from PIL import Image
from playwright.sync_api import Browser
from test_browser import PAGES, ROOT, SITE

LIMIT = 200_000  # bytes of one page with everything that it loads, fonts included
SCRIPTS = 12 * 1024  # bytes of our JavaScript on one page, as they go over the wire
ALONE = {"404.html"}  # holds its own style, and loads nothing
# All that a page still fetches after its load event: what is lazy, and fonts.
LOADED = """async () => {
  for (const image of document.images) {
    if (!image.checkVisibility()) continue;  // it waits for the other colours
    image.scrollIntoView();
    if (!image.complete)
      await new Promise((done) => { image.onload = image.onerror = done; });
  }
  scrollTo(0, document.body.scrollHeight);
  await document.fonts.ready;
}"""


def weigh(browser: Browser, address: str) -> int:
    """Load a page with an empty cache, look at it from top to bottom, sum it up."""
    context = browser.new_context()
    page, received, held = context.new_page(), {}, set()
    session = context.new_cdp_session(page)
    session.on(
        "Network.loadingFinished",
        lambda e: received.update({e["requestId"]: e["encodedDataLength"]}),
    )
    session.on(  # what a style sheet holds has come with it
        "Network.requestWillBeSent",
        lambda e: e["request"]["url"].startswith("data:") and held.add(e["requestId"]),
    )
    session.send("Network.enable")
    page.goto(address, wait_until="load")
    page.evaluate(LOADED)
    context.close()
    return sum(size for request, size in received.items() if request not in held)


def test_every_page_is_light(browser, capsys):
    with gzipped(SITE) as address:
        weights = [weigh(browser, address + page) for page in PAGES]
    rows = sorted(zip(weights, PAGES, strict=True), reverse=True)
    with capsys.disabled():
        print("\nKB over the wire, cache empty:")
        print("\n".join(f"{weight / 1000:8.1f}  {page}" for weight, page in rows))
    assert min(w for w, page in rows if page not in ALONE) > 20_000
    assert [page for w, page in rows if w >= LIMIT] == []


def test_scale_counts_what_a_page_loads_and_compresses_text(browser, tmp_path: Path):
    (tmp_path / "a.html").write_text(
        "<!doctype html><link rel=stylesheet href=a.css><p>a<img src=a.png>"
        "<style>@font-face{font-family:a;src:url(a.woff2)}p{font-family:a}</style>"
    )
    (tmp_path / "a.css").write_text("/*" + "a" * 100_000 + "*/")
    noise = random.Random(0).randbytes(50_000)  # a picture that PNG cannot compress
    Image.frombytes("L", (200, 250), noise).save(tmp_path / "a.png")
    (tmp_path / "a.woff2").write_bytes(bytes(20_000))
    with gzipped(tmp_path) as address:
        weight = weigh(browser, address + "a.html")
    assert 70_000 < weight < 73_000


def test_scripts_of_ours_are_small():
    names = {path.name for path in ROOT.glob("docs/_static/*.js")}
    ours = {name: (SITE / "_static" / name).read_bytes() for name in names}
    for page in PAGES:
        loaded = re.findall(
            r'<script src="[^"]*?(\w+\.js)[?"]', (SITE / page).read_text()
        )
        files = [ours[name] for name in loaded if name in ours]
        assert len(files) >= 5 or page in ALONE
        assert not any(b"/** @" in file for file in files), "types weigh, too"
        sizes = [len(gzip.compress(file, 6)) for file in files]
        assert sum(sizes) <= SCRIPTS, page


def test_site_carries_what_it_shows_of_other_peoples_work_with_its_licence():
    vendor = ROOT / "vendor"
    files = [path for path in vendor.rglob("*") if path.is_file()]
    names = {path.relative_to(vendor).as_posix() for path in files}
    shown = {name for name in names if name.startswith("katex/fonts/")}
    shown |= {"katex/katex.min.css", "katex/LICENSE"}
    assert len(shown) > 10
    assert {name for name in names if (SITE / "_static" / name).exists()} == shown
