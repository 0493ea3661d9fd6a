"""Ten key pages look as they did when somebody looked; ``make screens`` pins anew."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib
import pytest
from chromium import find
from gzipped import gzipped
from playwright.sync_api import Browser, Playwright
from screens import (
    FLAGS,
    PINNED,
    SCHEMES,
    SEEN,
    SHOTS,
    SITE,
    SIZES,
    pinned,
    save_difference,
    shots,
    unlike,
)

LIMIT = 0.2  # percent of a picture that may differ
# What can break, the shot that shows it, and how.
BROKEN = {
    "no sidebar": ("landing", ".sidebar-drawer { visibility: hidden }"),
    "other accent": ("landing", "body, body[data-theme] { --gp-accent: #d0d }"),
    "other page colour": ("rules", "body { --color-background-primary: #edeef0 }"),
    "dark in the light": ("lessons", "html body { background: #131416; color: #ccc }"),
    "no edges": ("walk", ".ag-edges { visibility: hidden }"),
    "black boxes": ("drawing", ".ag .ag-box.ag-box.ag-box { fill: #000 }"),
    "no drawing": ("walk", ".ag-svg { visibility: hidden }"),
    "narrow lines": ("first-lesson", "article p { line-height: 0.7 }"),
    "heading on its text": ("lessons", "article h2 { margin-bottom: -2.2rem }"),
    "text too wide": ("predict", ".content { width: 60rem }"),
    "formulas without styles": (
        "rules",
        ".katex.katex { font: inherit } .katex-html * { all: revert }",
    ),
    "no frame": ("predict", "article div.box.container { border: 0; padding: 0 }"),
    "squeezed curve": ("curve", ".cell-output img { height: 9rem }"),
    "no walk": ("walk", ".ag-walk { visibility: hidden }"),
    "table without columns": ("ledger", ".ledger :is(td, th) { display: block }"),
}
FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{}</dir><cachedir>{}</cachedir></fontconfig>"""


@contextmanager
def chromium(tools: Playwright, **environment: str) -> Iterator[Browser]:
    """Start a browser that nothing was shown in, in another environment."""
    browser = tools.chromium.launch(
        executable_path=find(), args=[*FLAGS], env={**os.environ, **environment}
    )
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def address():
    SEEN.mkdir(parents=True, exist_ok=True)
    with gzipped(SITE) as address:
        yield address


def test_every_shot_is_pinned_and_nothing_else():
    names = {f"{n}-{d}-{s}" for n in SHOTS for d in SIZES for s in SCHEMES}
    assert {path.stem for path in PINNED.iterdir()} == names
    assert len(names) == 40


def test_pinned_pictures_are_small():
    assert sum(path.stat().st_size for path in PINNED.iterdir()) < 1_500_000


def test_pages_look_as_they_did(address, playwright):
    changed = []
    with chromium(playwright) as browser:
        for name, picture in shots(browser, address):
            if (much := unlike(pinned(name), picture)) > LIMIT:
                seen = save_difference(name, pinned(name), picture)
                changed.append(f"{much:.1f} % differs, look at {seen}")
    assert changed == [], "If this is meant: make screens"


def test_what_is_broken_is_noticed(address, playwright):
    overlooked = []
    with chromium(playwright) as browser:
        for what, (shot, css) in BROKEN.items():
            seen = shots(browser, address, [shot], css)
            worst = max(unlike(pinned(name), picture) for name, picture in seen)
            overlooked += [f"{what}: {worst:.2f} %"] if worst < 2 * LIMIT else []
    assert overlooked == []


def test_fonts_of_another_machine_do_not_matter(address, playwright, tmp_path):
    fonts = tmp_path / "fonts.conf"
    few = Path(matplotlib.get_data_path(), "fonts", "ttf")
    fonts.write_text(FONTS.format(few, tmp_path / "cache"))
    with chromium(playwright, FONTCONFIG_FILE=str(fonts)) as browser:
        for name, picture in shots(browser, address, ["landing", "walk", "ledger"]):
            assert unlike(pinned(name), picture) < LIMIT / 2, name
