"""Draw the site's icons and cards once, and keep them: matplotlib costs half a second.

A picture is kept by what is drawn and by what draws it.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from courserun.kept import Kept

__all__ = ["SIZE", "Pictures"]

SIZE = (1200, 630)  # pixels of a card, as the readers of og:image want it
SPARE = 50  # pictures that are kept beside two of each page


class Pictures:
    """The pictures of one project, in a folder of its build."""

    def __init__(self, root: Path) -> None:
        """Draw nothing yet."""
        self._kept = Kept(root / "build" / ".cards")

    def card(self, site: str, title: str, text: str) -> bytes:
        """Return the card of a page; see ``cards.card``."""

        def draw() -> bytes:
            from coursebuild.extension.cards import card

            return card(site, title, text)

        return self._made(draw, "card", site, title, text)

    def favicon(self) -> bytes:
        """Return the mark as an ICO; see ``cards.favicon``."""

        def draw() -> bytes:
            from coursebuild.extension.cards import favicon

            return favicon()

        return self._made(draw, "favicon")

    def icon(self, pixels: int, *, margin: float) -> bytes:
        """Return the mark as a PNG; see ``cards.icon``."""

        def draw() -> bytes:
            from coursebuild.extension.cards import icon

            return icon(pixels, margin=margin)

        return self._made(draw, "icon", pixels, margin)

    def sweep(self, pages: int) -> None:
        """Forget the oldest, where there are far more than ``pages`` ask for."""
        self._kept.thin(2 * pages + SPARE)

    def _made(self, draw: Callable[[], bytes], *what: object) -> bytes:
        key = sha256(repr((_drawer(), what)).encode()).hexdigest()
        return b64decode(self._kept.made(key, lambda: b64encode(draw()).decode()))


@cache
def _drawer() -> tuple[str, ...]:
    """Return what tells that the same words would be drawn in another way."""
    code = Path(__file__).with_name("cards.py").read_bytes()
    return sha256(code).hexdigest(), version("matplotlib"), version("pillow")
