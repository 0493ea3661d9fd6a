"""What the page on torchutils says of types: by name, and no more than once."""

import re
from html import unescape
from pathlib import Path

from coursebuild.extension.signatures import ECHO, shortened

PAGE = Path(__file__).parents[1] / "build" / "html" / "api.html"
MEANS = {"m.V": "int | tuple[V, ...]", "m.Row": "tuple[m.V, m.V]"}


def test_alias_within_itself_is_one_name():
    twice = "(a: int | tuple[int | tuple[V, ...], ...] = 0) -> list[tuple[m.V, m.V]]"
    assert shortened(twice, MEANS) == "(a: m.V = 0) -> list[m.Row]"


def test_other_types_stay():
    text = "(a: int | tuple[int, ...])"
    assert shortened(text, MEANS) == text


def test_page_names_the_long_types_and_repeats_no_field():
    text = unescape(re.sub(r"<[^>]+>", "", PAGE.read_text(encoding="utf-8")))
    assert "value: Value = None" in text
    assert "positions: Mapping[str, Numbers]" in text
    assert not re.search(rf"tuple\[str \| bool|{ECHO}", text)
