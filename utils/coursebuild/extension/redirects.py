"""Read docs/redirects.txt: where pages that moved are now."""

from __future__ import annotations

from collections.abc import Collection

__all__ = ["FILE", "read_redirects"]

FILE = "docs/redirects.txt"


def read_redirects(text: str, pages: Collection[str]) -> dict[str, str]:
    """Return the new page of each old one; ``pages`` are those that the site has.

    Raises:
        ValueError: a line has another form, or leads nowhere; each is named.

    >>> read_redirects("# comment\\nlessons/old lessons/new", ["lessons/new"])
    {'lessons/old': 'lessons/new'}
    """
    found: dict[str, str] = {}
    wrong: list[str] = []
    lines = [line.partition("#")[0].split() for line in text.splitlines()]
    olds = [words[0] for words in lines if words]
    for number, words in enumerate(lines, 1):
        if words and (fault := _fault(words, found, olds, pages)):
            wrong.append(f"{FILE}:{number}: {fault}")
        elif words:
            found[words[0]] = words[1]
    if wrong:
        raise ValueError("\n".join(wrong))
    return found


def _fault(
    words: list[str], found: dict[str, str], olds: list[str], pages: Collection[str]
) -> str:
    if len(words) != 2:
        return f"{' '.join(words)!r} must be two words: the old page and the new one."
    old, new = words
    if any(".." in page.split("/") or page.startswith("/") for page in words):
        return f"{old} {new}: name pages from the site's top, like lessons/index."
    if old in pages:
        return f"{old} is a page of the site: delete this line, or that page."
    if old in found:
        return f"{old} is sent to {found[old]} already: delete one of the two lines."
    if new in olds:
        return f"{new} is redirected itself: name the page where it ends."
    if new not in pages:
        return f"{new} is no page of the site: name one, like lessons/index."
    return ""
