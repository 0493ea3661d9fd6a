"""Repair known faults in the pages that the theme and sphinx-gallery write.

Each repair must find its fault somewhere: one that no longer does is reported,
so that the table never holds what is not needed.
"""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["REPAIRS", "tidy"]

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
        "a script for tags that no lesson has",
        r'\s*<script src="[^"]*sg-tags\.js[^"]*"></script>',
        "",
    ),
    (
        "the search page has no heading",
        r'(?=<noscript>\s*<div class="admonition error">)',
        "<h1>Search</h1>\n",
    ),
)


def tidy(site: Path) -> list[str]:
    """Repair every page of ``site``; return the faults that no page has any more."""
    found: set[str] = set()
    for page in sorted(site.rglob("*.html")):
        text = page.read_text(encoding="utf-8")
        for _, fault, repair in REPAIRS:
            text, count = re.subn(fault, repair, text)
            found |= {fault} if count else set()
        page.write_text(text, encoding="utf-8")
    (site / "_static" / "sg-tags.js").unlink(missing_ok=True)
    return [
        f"tidy.py repairs {what} ({fault}), but no page has this fault now: delete it"
        for what, fault, _ in REPAIRS
        if fault not in found
    ]
