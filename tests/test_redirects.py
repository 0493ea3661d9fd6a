"""The file of pages that moved."""

from __future__ import annotations

from pathlib import Path

import pytest

from coursebuild.extension.redirects import FILE, read_redirects

ROOT = Path(__file__).parents[1]
SITE = ROOT / "build" / "html"
PAGES = ("index", "lessons/new", "lessons/other")


def test_comments_and_empty_lines_say_nothing() -> None:
    text = "# old new\n\nlessons/old lessons/new  # since then\n"
    assert read_redirects(text, PAGES) == {"lessons/old": "lessons/new"}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a", "1: 'a' must be two words"),
        ("a b c", "1: 'a b c' must be two words"),
        ("a nowhere", "1: nowhere is no page of the site"),
        ("# x\n\na nowhere", "3: nowhere is no page"),
        ("a b\nb index", "1: b is redirected itself"),  # a chain
        ("a b\nb a", "2: a is redirected itself"),  # a loop
        ("a a", "1: a is redirected itself"),
        ("lessons/new index", "1: lessons/new is a page of the site"),
        ("a index\na lessons/new", "2: a is sent to index already"),
        ("../a index", "1: ../a index: name pages from the site's top"),
        ("/a index", "1: /a index: name pages from the site's top"),
        ("a.html index.html", "1: index.html is no page of the site"),
    ],
)
def test_line_that_leads_nowhere_is_named(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match=FILE) as caught:
        read_redirects(text, PAGES)
    assert f"{FILE}:{fault}" in str(caught.value)


def test_every_wrong_line_is_named() -> None:
    with pytest.raises(ValueError, match=FILE) as caught:
        read_redirects("a x\nb y\nc index", PAGES)
    assert str(caught.value).count(FILE) == 2


def test_redirects_of_this_site_end_on_pages() -> None:
    pages = {
        p.relative_to(SITE).with_suffix("").as_posix() for p in SITE.rglob("*.html")
    }
    moved = read_redirects((ROOT / FILE).read_text("utf-8"), pages - _olds())
    assert set(moved) <= pages


def _olds() -> set[str]:
    lines = (ROOT / FILE).read_text("utf-8").splitlines()
    return {line.split()[0] for line in lines if line and not line.startswith("#")}
