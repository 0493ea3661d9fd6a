"""Mend what leads nowhere, or to another host, in the pages of easy lessons."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

from coursebuild.publishing.site_checks import Seen, read_pages, wrong_links
from coursebuild.sources.docnames import page_of, source_of
from coursebuild.state import state
from courserun.kept import Memory, digest_of

__all__ = ["mend", "setup"]


class EaseLesson(SphinxTransform):
    """Show the source of a directive that nobody knows, where a lesson is easy.

    A picture on another host, of which a link is left, has no size to be scaled.
    """

    default_priority = 400  # before docutils leaves its messages out

    def apply(self, **_: Any) -> None:
        """Put the source in the place of the message; forget the scale."""
        source = source_of(self.env.docname, Path(self.app.confdir))
        lesson = state(self.app).runs.lessons.get(source)
        if lesson is None or lesson.strict:
            return
        for image in self.document.findall(nodes.image):
            if "://" in image["uri"]:
                image.attributes.pop("scale", None)
        for message in list(self.document.findall(nodes.system_message)):
            said = message[0]
            written = list(message.findall(nodes.literal_block))
            if said.astext().startswith("Unknown directive type"):
                for block in written:
                    block["language"] = "rst"
                message.replace_self([*written])


def mend(
    site: Path,
    root: Path,
    names: Iterable[str],
    known: Memory | None = None,
    digest: Callable[[str], str] = digest_of,
) -> list[str]:
    """Turn what would lead nowhere into text, and what asks another host into a link.

    ``names`` are the sources of the pages that may be mended; ``known`` is what pages
    said when they were read.  ``digest`` digests a file.  Returns a note for each.
    """
    found = [(name, page_of(name)) for name in names]
    pages = read_pages(site, known, digest) if found else {}
    notes, seen = list[str](), Seen()
    for name, shown in found:
        wrong = [*wrong_links(shown, site, pages, seen)] if shown in pages else []
        if not wrong:
            continue
        page = site / shown
        lines = (root / name).read_text(encoding="utf-8").splitlines()
        before = text = page.read_text(encoding="utf-8")
        for tag, url, why in wrong:
            mended = _MENDED[tag](text, url) if tag in _MENDED else text
            if mended != text:
                line = next((k for k, said in enumerate(lines, 1) if url in said), 1)
                notes.append(f"{name}:{line}\n  {why}\n  ({_DONE[tag]})")
            text = mended
        if text != before:
            page.unlink()  # it may be linked with one that is kept
            page.write_text(text, encoding="utf-8")
    return notes


def _unlinked(text: str, url: str) -> str:
    link = rf'(?s)<a\b[^>]*? href="{_escaped(url)}"[^>]*>(.*?)</a>'
    return re.sub(link, r"<span>\1</span>", text)


def _named(text: str, url: str) -> str:
    """Put a picture's words in its place, as a link where it is on another host."""

    def words(match: re.Match[str]) -> str:
        alt = re.search(r' alt="([^"]*)"', match[0])
        said = (alt and alt[1]) or Path(url).name
        there = "//" in url
        return f'<a href="{escape(url)}">{said}</a>' if there else f"<em>{said}</em>"

    return re.sub(rf'<img\b[^>]*? src="{_escaped(url)}"[^>]*>', words, text)


def _framed(text: str, url: str) -> str:
    link = f'<a href="{escape(url)}">{escape(url)}</a>'
    frame = rf'(?s)<iframe\b[^>]*? src="{_escaped(url)}".*?</iframe>'
    return re.sub(frame, lambda _: link, text)


def _escaped(url: str) -> str:
    """Return a pattern for an address as pages write it."""
    return "(?:" + "|".join(re.escape(u) for u in {url, escape(url)}) + ")"


_MENDED: dict[str, Callable[[str, str], str]] = {
    "a": _unlinked,
    "img": _named,
    "iframe": _framed,
}
_DONE = {
    "a": "shown as text",
    "img": "its words stand in its place",
    "iframe": "shown as a link",
}


def setup(app: Sphinx) -> None:
    """Register what is done before the pages are written."""
    app.add_transform(EaseLesson)
