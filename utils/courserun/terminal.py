"""Make of what a cell wrote to its terminal what the terminal shows in the end."""

from __future__ import annotations

import re

__all__ = ["legible", "settled"]

# What neither HTML nor XML may hold: https://www.w3.org/TR/xml/#charsets
_ILLEGIBLE = re.compile(
    "[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd\U00010000-\U0010fffd]"
)
_SEQUENCE = re.compile(
    r"\x1b\[(?P<number>\d*)[\d;:?<=>]*[ -/]*(?P<act>[@-~])"  # move, erase, colour
    r"|\x1b[\]PX^_].*?(?:\x07|\x1b\\|$)"  # a title, a link: for the terminal alone
    r"|\x1b[ -/]*[0-~]?"
    r"|(?P<text>[^\x1b\b\r\n]+)"
    r"|(?P<control>.)",
    re.DOTALL,
)
_FAR = 1000  # no move goes further: a cell's text is no matter of a screen's size


def legible(text: str) -> str:
    r"""Take out what no page, and no book, may hold: control characters.

    >>> legible("a\x00b\x0cc\x85d\ud800e\ufffe")
    'abcde'
    """
    return _ILLEGIBLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def settled(text: str) -> str:
    r"""Return what a terminal shows after it was given ``text``; colours are left out.

    >>> settled("10 %\r100 %\n\x1b[1;31mred\x1b[0m")
    '100 %\nred'
    """
    if not re.search(r"[\r\x08\x1b]", text.replace("\r\n", "\n")):
        return legible(text)
    screen = _Terminal()
    for match in _SEQUENCE.finditer(text):
        if match["act"]:
            screen.act(match["act"], int(match["number"] or 0))
        elif match["text"]:
            screen.write(legible(match["text"]))
        elif match["control"]:
            screen.control(match["control"])
    return "\n".join(line.rstrip() for line in screen.lines)


class _Terminal:
    """Lines as long as they need to be, and a cursor in one of them."""

    def __init__(self) -> None:
        self.lines = [""]
        self._row = self._column = 0

    def write(self, text: str) -> None:
        """Write over what stands at the cursor."""
        line = self.lines[self._row].ljust(self._column)
        end = self._column + len(text)
        self.lines[self._row] = line[: self._column] + text + line[end:]
        self._column = end

    def control(self, character: str) -> None:
        """Begin a line, or go back in this one."""
        if character == "\n":
            self._row, self._column = self._row + 1, 0
            if self._row == len(self.lines):
                self.lines.append("")
        elif character == "\r":
            self._column = 0
        else:
            self._column = max(self._column - 1, 0)

    def act(self, act: str, number: int) -> None:
        """Move the cursor or erase; whatever else a terminal can do shows nothing."""
        steps, last = min(max(number, 1), _FAR), len(self.lines) - 1
        match act:
            case "A" | "F":
                self._row = max(self._row - steps, 0)
            case "B" | "E":
                self._row = min(self._row + steps, last)
            case "C":
                self._column += steps
            case "D":
                self._column = max(self._column - steps, 0)
            case "G":
                self._column = steps - 1
            case "H" | "f":
                self._row = min(steps - 1, last)
            case "K":
                self._erase(number)
            case "J":
                self._erase(number)
                below = slice(0 if number else self._row + 1, None)
                self.lines[below] = [""] * len(self.lines[below])
        if act in "EFHf":
            self._column = 0

    def _erase(self, which: int) -> None:
        """Erase from the cursor on (0), up to it (1), or the line (2)."""
        line = self.lines[self._row]
        before, after = line[: self._column], line[self._column + 1 :]
        kept = {0: before, 1: " " * (self._column + 1) + after}
        self.lines[self._row] = kept.get(which, "")
