"""Pictures of ten key pages, small and pinned; ``make screens`` makes them anew.

Letters are set in the fonts that the site carries for formulas, since a system's own
differ from machine to machine, and with them every line break.
"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from chromium import find
from gzipped import gzipped
from PIL import Image, ImageChops, ImageFilter
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[1]
SITE = ROOT / "build" / "html"
PINNED = Path(__file__).with_name("screens")
SEEN = ROOT / "build" / "screens"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--hide-scrollbars"]
# Letters as they are designed: no machine's settings move them or tint their edges.
FLAGS += ["--font-render-hinting=none", "--disable-lcd-text"]
FLAGS += ["--force-color-profile=srgb"]
FOUNDATIONS = "lessons/1_foundations/"
# name: the page, and what comes to the top of the window
SHOTS = {
    "landing": ("index.html", "h1"),
    "lessons": ("lessons/index.html", "h1"),
    "first-lesson": ("lessons/0_basics/10_gradients_with_pytorch.html", "h1"),
    "curve": (FOUNDATIONS + "10_what_is_a_gradient.html", ".cell-output:has(img)"),
    "walk": (FOUNDATIONS + "20_the_graph_behind_y.html#ag-1-s4", ".ag:has(.ag-walk)"),
    "graph": (FOUNDATIONS + "30_chain_rule.html", ".ag"),
    "predict": (FOUNDATIONS + "60_accumulation.html", ".predict"),
    "drawing": ("drawing_graphs.html", ".ag"),
    "ledger": ("ledger.html", ".ledger"),
    "rules": ("rules.html", "h1"),
}
SIZES = {"desktop": (1280, 800), "phone": (390, 780)}
SCHEMES = ("light", "dark")
LETTERS = """
body { --font-stack: KaTeX_SansSerif, KaTeX_Main; }
html, body * { text-rendering: geometricPrecision } /* no letter is moved to a pixel */
body { --font-stack--monospace: KaTeX_Typewriter, KaTeX_Main; }
.ag-svg { font-family: KaTeX_SansSerif, KaTeX_Main; }
.back-to-top { visibility: hidden; } /* comes and goes with how a page was scrolled */
"""
UNCOVER = "document.querySelectorAll('.cover-one').forEach(e => e.click())"
READY = """async () => {
  await document.fonts.ready;
  const shown = [...document.images].filter((image) => image.checkVisibility());
  for (const image of shown) image.loading = "eager";  // the other colours wait
  await Promise.all(shown.map((image) => image.decode()));
  for (let k = 0; k < 3; k++) await new Promise(requestAnimationFrame);
}"""
CELL = 4  # pixels of a picture, which is half as large as the window
MUCH, LITTLE = 20, 5  # of 255: a cell that shows something else, or another colour


def shots(
    browser: Browser, address: str, names: Iterable[str] = SHOTS, css: str = ""
) -> Iterator[tuple[str, Image.Image]]:
    """Take each named shot on a desktop and a phone, light and dark."""
    for device, (width, height) in SIZES.items():
        context = browser.new_context(
            viewport={"width": width, "height": height}, reduced_motion="reduce"
        )
        for name in names:
            page = _visit(context.new_page(), address, name, css)
            for scheme in SCHEMES:
                page.emulate_media(color_scheme=scheme)
                page.evaluate(READY)
                yield f"{name}-{device}-{scheme}", _picture(page)
            page.close()
        context.close()


def _visit(page: Page, address: str, name: str, css: str) -> Page:
    path, top = SHOTS[name]
    page.goto(address + path)
    page.add_style_tag(content=LETTERS + css)
    if name != "predict":
        page.evaluate(UNCOVER)
    page.evaluate(READY)
    page.locator(f"article {top}").first.evaluate(
        "e => scrollTo(0, scrollY + e.getBoundingClientRect().top - 80)"
    )
    return page


def _picture(page: Page) -> Image.Image:
    """Return the window in half its size."""
    path = SEEN / "window.png"
    page.screenshot(path=path, animations="disabled", scale="css")
    with Image.open(path) as image:
        return image.convert("RGB").reduce(2)


def unlike(one: Image.Image, other: Image.Image) -> float:
    """Return how much of two pictures differs, in percent; small shifts do not count.

    A cell counts when what it shows changed; all cells together count, at a tenth,
    when the colours of large parts changed by a little.
    """
    if one.size != other.size:
        return 100.0
    cells = [np.asarray(_blurred(image).reduce(CELL), float) for image in (one, other)]
    change = np.abs(cells[0] - cells[1]).max(axis=2)
    return 100 * float(max((change > MUCH).mean(), (change > LITTLE).mean() / 10))


def _blurred(image: Image.Image) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(1.5))


def pinned(name: str) -> Image.Image:
    """Return the picture as it was when somebody looked at it."""
    with Image.open(PINNED / f"{name}.webp") as image:
        return image.convert("RGB")


def save_difference(name: str, was: Image.Image, now: Image.Image) -> Path:
    """Put what was, what is and where they differ side by side, to be looked at."""
    sheet = Image.new("RGB", (3 * now.width, now.height))
    change = ImageChops.difference(was.resize(now.size), now)
    for place, image in enumerate((was, now, change)):
        sheet.paste(image, (place * now.width, 0))
    path = SEEN / f"{name}.png"
    sheet.save(path)
    return path


def main() -> int:
    """Make all pictures anew."""
    PINNED.mkdir(exist_ok=True)
    SEEN.mkdir(parents=True, exist_ok=True)
    for path in PINNED.glob("*.webp"):
        path.unlink()
    with gzipped(SITE) as address, sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path=find(), args=FLAGS)
        for name, picture in shots(browser, address):
            picture.save(PINNED / f"{name}.webp", lossless=True, method=6)
        browser.close()
    size = sum(path.stat().st_size for path in PINNED.iterdir())
    print(f"Made {len(list(PINNED.iterdir()))} pictures, {size / 1000:.0f} KB; look at")
    print(f"each before you commit it: {PINNED.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
