"""Repair known faults in the pages that the theme and sphinx-gallery write.

Each repair must find its fault somewhere: one that no longer does is reported,
so that the table never holds what is not needed.  Then each page is told what it
may load: files of this site, and the one inline script that the theme brings.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Collection
from hashlib import sha256

__all__ = ["REPAIRS", "needless", "policy", "repaired"]

INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)
POLICY = (
    "default-src 'none'; script-src 'self'{hashes}; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; media-src 'self' data:; font-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'"
)
CODE = r'<code class="[^"]*\bliteral\b[^"]*">(?:(?!</code>).)*</code>'

# (what is wrong, the fault, the repair)
REPAIRS = (
    (
        "two landmarks without names",
        r'<aside class="sidebar-drawer"',
        r'\g<0> aria-label="Site"',
    ),
    (
        "two landmarks without names",
        r'<aside class="toc-drawer[^"]*"',
        r'\g<0> aria-label="Page"',
    ),
    (
        "a link that shows while the reader scrolls up is in no landmark",
        r'(?s)<a href="#" class="back-to-top.*?</a>',
        r'<nav aria-label="Top">\g<0></nav>',
    ),
    (
        "the viewport is set twice",
        r'<meta name="viewport" content="width=device-width, initial-scale=1" />\s*',
        "",
    ),
    (
        "a script for sphinx-gallery's tags, in whose place we have lists",
        r'\s*<script src="[^"]*sg-tags\.js[^"]*"></script>',
        "",
    ),
    (
        "no key leads to the next page",
        r'(?s)<a class="next-page"(.*?<span>Next)(?=</span>)',
        r'<a class="next-page" accesskey="n"\1 <small>(access key N)</small>',
    ),
    (
        "no key leads to the previous page",
        r'(?s)<a class="prev-page"(.*?<span>Previous)(?=</span>)',
        r'<a class="prev-page" accesskey="p"\1 <small>(access key P)</small>',
    ),
    (
        "the way back stands left of the way on, and comes after it",
        r'(?s)(<a class="next-page".*?</a>)(\s*)(<a class="prev-page".*?</a>)',
        r"\3\2\1",
    ),
    (
        "the colours' script fails where storage is refused",
        r"(document\.body\.dataset\.theme) = (localStorage[^;]*);",
        r'\1 = "auto"; try { \1 = \2 } catch {}',
    ),
    (
        "the top heading of an index stands in a section",
        r'<section (class="(?:gen|domain)index-section">\s*<h1(?s:.*?)</)section>',
        r"<div \1div>",
    ),
    (
        "a place for tags that no lesson has, twice on a page",
        r"<div id='sg-tag-list'[^>]*></div>",
        "",
    ),
    (
        "tags that end as in XML",
        r"(<(?:meta|link|img|br|hr|input|col)\b[^<>]*?)\s*/>",
        r"\1>",
    ),
)

# No line may begin with the comma or quote after code.  A site need have none.
COMMA = re.compile(rf"(?s)(?:{CODE}|<a [^<>]*>{CODE}</a>)[,.;:)!?”’\"]+")
CELL = re.compile(r"(?s)<t[dh]\b.*?</t[dh]>")
# In a table's cell a name may go on in the next line after these, but no number.
JOINT = re.compile(r"(?<=\w)(?:\.(?!\d)|[_/={(]+)(?=[\w\\])(?![^<]*>)")


def needless(found: Collection[str]) -> list[str]:
    """Return a line for each repair whose fault is not among those ``found``."""
    return [
        f"html_repairs.py repairs {what} ({fault}), but no page has this fault now:"
        " delete it"
        for what, fault, _ in REPAIRS
        if fault not in found
    ]


def repaired(text: str) -> tuple[list[str], str]:
    """Return the faults of a page, and the page as it is to be."""
    found = []
    for _, fault, repair in REPAIRS:
        text, count = re.subn(fault, repair, text)
        found += [fault] if count else []
    text = CELL.sub(_breakable, text)
    text = COMMA.sub(r'<span class="kept">\g<0></span>', text)
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy(text)}">'
    text = text.replace(
        '<meta charset="utf-8">', f'<meta charset="utf-8">\n    {meta}', 1
    )
    return found, text


def _breakable(cell: re.Match[str]) -> str:
    def jointed(code: re.Match[str]) -> str:
        return JOINT.sub(r"\g<0><wbr>", code[0])

    return re.sub(CODE, jointed, cell[0], flags=re.DOTALL)


def policy(page: str) -> str:
    """Return the Content-Security-Policy of a page, with a hash of each inline script.

    Styles may be inline: KaTeX and the theme place and colour with them.
    """
    scripts = (script.encode() for script in INLINE.findall(page))
    digests = (sha256(script).digest() for script in scripts)
    hashes = "".join(f" 'sha256-{base64.b64encode(d).decode()}'" for d in digests)
    return POLICY.format(hashes=hashes)
