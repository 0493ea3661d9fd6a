"""The pictures that show the site elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from coursebuild.extension import cards
from coursebuild.extension.head import LONGEST
from coursebuild.extension.pictures import SPARE, Pictures

ROOT = Path(__file__).parents[1]
SITE = "Gradients with PyTorch"
LONG = "Differentiation of everything wherever it may appear in the world"
CASES = {
    "short": ("Leaves", "What a leaf is."),
    "long": (LONG, ("wide WWWW words " * 20)[:LONGEST]),
    "signs": ("A < B & $C$", "It costs $5 and \\nabla more, ∂y/∂x."),
}


def opened(data: bytes) -> Image.Image:
    """Read a picture."""
    return Image.open(BytesIO(data))


def test_card_has_the_size_that_chats_want_and_few_bytes() -> None:
    data = cards.card(SITE, *CASES["long"])
    assert opened(data).size == (1200, 630)
    assert len(data) < 40_000


@pytest.mark.parametrize("colour", [cards.ACCENT, cards.ROOT, cards.INK, "#ffffff"])
def test_few_bytes_cost_a_card_no_colour(colour: str) -> None:
    card = opened(cards.card(SITE, *CASES["long"])).convert("RGB")
    wanted = bytes.fromhex(colour[1:])
    assert [
        found
        for _, found in card.getcolors()
        if max(abs(a - b) for a, b in zip(found, wanted, strict=True)) < 6
    ]


@pytest.mark.parametrize("case", CASES)
def test_nothing_on_a_card_leaves_it_or_meets_another(case: str) -> None:
    figure = cards.draw_card(SITE, *CASES[case])
    boxes = [text.get_window_extent() for text in figure.texts]
    assert len(boxes) == 3
    for number, box in enumerate(boxes):
        assert box.x1 < 1190
        assert box.y0 > 20
        assert not any(box.overlaps(other) for other in boxes[:number])


def test_card_says_its_title_and_text() -> None:
    shown = [text.get_text() for text in cards.draw_card(SITE, "T", "D").texts]
    assert shown == [SITE, "T", "D"]


def test_pictures_have_the_same_bytes_with_another_configuration(
    tmp_path: Path,
) -> None:
    (tmp_path / "matplotlibrc").write_text("savefig.dpi: 50\nfont.family: serif\n")
    code = (
        "import sys; from coursebuild.extension import cards\n"
        "sys.stdout.buffer.write(cards.card('S', 'T', 'D') + cards.favicon())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(ROOT / "utils"), "MPLCONFIGDIR": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        check=True,
    )
    assert done.stdout == cards.card("S", "T", "D") + cards.favicon()


def test_icons_show_the_mark_of_the_site() -> None:
    mark = (ROOT / "docs/_static/mark.svg").read_text()
    for x, y in cards.NODES:
        assert f'cx="{x}" cy="{y}" r="3.6"' in mark
    for colour in (cards.ACCENT, cards.ROOT):
        assert colour in mark


def test_favicon_is_an_ico_of_32_pixels_with_nothing_behind_it() -> None:
    icon = opened(cards.favicon())
    assert (icon.format, icon.size) == ("ICO", (32, 32))
    assert icon.convert("RGBA").getpixel((0, 31))[3] == 0


def test_touch_icon_is_opaque() -> None:
    icon = opened(cards.icon(180, margin=0.12)).convert("RGBA")
    assert icon.size == (180, 180)
    assert icon.getpixel((0, 0)) == (255, 255, 255, 255)


def test_picture_is_drawn_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Pictures(tmp_path).card(SITE, *CASES["short"])
    assert first == cards.card(SITE, *CASES["short"])
    other = Pictures(tmp_path).card(SITE, *CASES["signs"])
    monkeypatch.delattr(cards, "card")
    assert Pictures(tmp_path).card(SITE, *CASES["short"]) == first != other


def test_oldest_pictures_go_where_there_are_too_many(tmp_path: Path) -> None:
    pictures = Pictures(tmp_path)
    pictures.favicon()
    pictures.icon(32, margin=0)
    pictures.sweep(pages=0)
    assert len([*tmp_path.glob("build/.cards/*")]) == 2
    for number in range(SPARE):
        file = tmp_path / f"build/.cards/{number}"
        file.touch()
        os.utime(file, (0, 0))
    pictures.sweep(pages=0)
    left = [path.name for path in tmp_path.glob("build/.cards/*")]
    assert len(left) == SPARE
    assert sum(name.endswith(".json") for name in left) == 2
