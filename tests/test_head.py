"""What a page says of itself to those who only see its head."""

import re
from pathlib import Path

import pytest
from docutils.core import publish_doctree

from coursebuild.extension.head import LONGEST, describe

SITE = Path(__file__).parents[1] / "build" / "html"
PAGES = sorted(p for p in SITE.rglob("*.html") if "lessons" in p.parts)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("T\n=\n\nA *short* promise.\n\nMore.", "A short promise."),
        ("T\n=\n\n.. note:: Not this.\n\nThis.", "This."),
        ("T\n=\n", ""),
        ("T\n=\n\n" + "One sentence. " * 30, ("One sentence. " * 14).strip()),
        ("T\n=\n\nWhy? Because " + "it is so " * 30, "Why?"),
        ("T\n=\n\n" + "word " * 60, "word " * 39 + "word…"),
    ],
)
def test_description_is_the_first_paragraph(text, wanted):
    found = describe(publish_doctree(text, settings_overrides={"doctitle_xform": 0}))
    assert found == wanted
    assert len(found) <= LONGEST


def test_there_are_pages_to_look_at():
    assert len(PAGES) > 2


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_lesson_describes_itself_once(page):
    text = page.read_text()
    (description,) = re.findall(r'<meta name="description" content="([^"]+)">', text)
    assert 20 < len(description) <= LONGEST + 60  # escaped
    assert f'<meta property="og:description" content="{description}">' in text
