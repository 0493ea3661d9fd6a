"""The words on the pages of a PDF that Chromium has printed."""

import re
from collections.abc import Iterator
from pathlib import Path

import pikepdf

__all__ = ["words"]

SECTION = re.compile(r"beginbf(?:char|range)(.*?)endbf", re.DOTALL)
HEX = re.compile("<([0-9A-Fa-f]+)>")
OPERATORS = "Tf Tj TJ Do"  # choose a font, show letters, show a form


def words(path: Path) -> list[str]:
    """Return the letters of each page, without spaces: they depend on the fonts.

    pypdf finds the same on each page of the book, and takes six times as long: it
    reads in Python what a page draws, here pikepdf's parser does.
    """
    known: dict[tuple[int, int], dict[int, str]] = {}
    with pikepdf.open(path) as pdf:
        return ["".join("".join(_shown(page, known)).split()) for page in pdf.pages]


def _shown(
    drawn: pikepdf.Page | pikepdf.Object, known: dict[tuple[int, int], dict[int, str]]
) -> Iterator[str]:
    """Yield what a page, or a form on it, shows."""
    letters: dict[int, str] = {}
    for operands, operator in pikepdf.parse_content_stream(drawn, OPERATORS):
        if str(operator) == "Tf":
            font = drawn.Resources.Font[operands[0]]
            if font.objgen not in known:
                known[font.objgen] = _letters(font)
            letters = known[font.objgen]
        elif str(operator) == "Do":
            form = drawn.Resources.XObject[operands[0]]
            if form.Subtype == "/Form":
                yield from _shown(form, known)
        else:
            parts = operands[0] if str(operator) == "TJ" else operands
            for part in (p for p in parts if isinstance(p, pikepdf.String)):
                codes = bytes(part)
                for at in range(0, len(codes), 2):
                    yield letters[int.from_bytes(codes[at : at + 2])]


def _letters(font: pikepdf.Object) -> dict[int, str]:
    """Return what each code of a font stands for, as the font itself says.

    Raises:
        ValueError: its codes are not numbers of glyphs, of two bytes each.
    """
    if font.Subtype != "/Type0" or font.Encoding != "/Identity-H":
        raise ValueError(f"{font.BaseFont} has other codes than Chromium's fonts have")
    found: dict[int, str] = {}
    for section in SECTION.findall(font.ToUnicode.read_bytes().decode()):
        for line in section.splitlines():
            if codes := HEX.findall(line):
                first, last = int(codes[0], 16), int(codes[-2], 16)
                text = bytes.fromhex(codes[-1]).decode("utf-16-be")
                for code in range(first, last + 1):
                    end = chr(ord(text[-1]) + code - first)
                    found[code] = text[:-1] + end
    return found
