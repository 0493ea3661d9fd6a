"""What a site has beside its pages: a 404 page, redirects, a sitemap, icons."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sphinx.application import Sphinx

from coursebuild.addresses import edit
from coursebuild.extension.pictures import Pictures
from coursebuild.extension.redirects import FILE, read_redirects
from coursebuild.sources.docnames import source_of

__all__ = ["JOINED", "setup", "sitemap", "stripped"]

ICONS = (
    '\n    <link rel="icon" href="{0}favicon.ico" sizes="32x32">'
    '\n    <link rel="icon" href="{0}_static/mark.svg" type="image/svg+xml">'
    '\n    <link rel="apple-touch-icon" href="{0}apple-touch-icon.png">'
)
COMMENT = re.compile(r"^[ \t]*(?:/\*(?:(?!\*/)[\s\S])*\*/|//.*)\n", re.MULTILINE)
JOINED = {  # scripts in docs/_static/playground, by the page that loads them
    "playground": ("tensor", "more", "program", "draw", "see", "page"),
    "practice": ("tensor", "program", "draw", "exercises", "practice"),
}
# Behind what ends a piece of code, where no quote follows: it is in no text.
BEHIND = re.compile(r"(?<=[;{,}\])]) // [^\"'`/\n]*$", re.MULTILINE)
TYPE = re.compile(r"/\*\* @(?:(?!\*/).)*\*/ ?")  # amid a line
INDENT = re.compile(r"^\s+", re.MULTILINE)  # and empty lines
URLS = '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'


def sitemap(site: str, pages: list[str]) -> str:
    """Return the sitemap of pages below an address.

    >>> sitemap("https://a.b/", ["index"]).splitlines()[2]
    '<url><loc>https://a.b/index.html</loc></url>'
    """
    lines = (f"<url><loc>{escape(f'{site}{p}.html')}</loc></url>" for p in pages)
    head = '<?xml version="1.0" encoding="utf-8"?>'
    return "\n".join([head, URLS, *lines, "</urlset>", ""])


def uncommented(script: str) -> str:
    """Return a script without types, and without most of its comments.

    >>> uncommented("// a\\nlet x; // b\\n  /** c\\n d */\\n  /** e */ y('; // ');\\n")
    "let x;\\n  /** e */ y('; // ');\\n"
    >>> uncommented("f((/** @type {number} */ x, y) => x);")
    'f((x, y) => x);'
    """
    return TYPE.sub("", BEHIND.sub("", COMMENT.sub("", script)))


def stripped(script: str) -> str:
    """Return a script as ``uncommented`` does, without indents and empty lines."""
    return INDENT.sub("", uncommented(script))


def _pages(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Yield the pages that no source is behind."""
    if app.builder.name != "html":
        return
    site = {"site": app.config.html_baseurl}
    titles = {name: title.astext() for name, title in app.env.titles.items()}
    lessons = sorted(n for n in titles if n.count("/") == 2 and not n.endswith("index"))
    yield "404", site | {"lessons": [(n, titles[n]) for n in lessons]}, "404.html"
    file = Path(app.confdir, FILE)
    text = file.read_text("utf-8") if file.exists() else ""
    for old, new in read_redirects(text, titles).items():
        yield old, site | {"target": new, "heading": titles[new]}, "redirect.html"


def _context(
    app: Sphinx, page: str, _template: str, context: dict[str, Any], doctree: object
) -> None:
    """Give each page its icons, and a link to where its source is edited."""
    if app.builder.name != "html":
        return
    icons = ICONS.format("../" * page.count("/"))
    context["metatags"] = context.get("metatags", "") + icons
    if app.config.repository and doctree:
        link = edit(app.config.repository, source_of(page, Path(app.confdir)))
        context["theme_source_edit_link"] = link


def _files(app: Sphinx, error: Exception | None) -> None:
    """Write what is no page."""
    if error or app.builder.name != "html":
        return
    out, site = Path(app.outdir), app.config.html_baseurl
    scripts = Path(app.confdir) / "docs/_static"
    for script in scripts.glob("*.js"):
        text = uncommented(script.read_text("utf-8"))
        (out / "_static" / script.name).write_text(text, "utf-8")
    _join_scripts(scripts / "playground", out)
    pictures = Pictures(Path(app.confdir))
    (out / "favicon.ico").write_bytes(pictures.favicon())
    (out / "apple-touch-icon.png").write_bytes(pictures.icon(180, margin=0.12))
    pictures.sweep(len(app.env.found_docs))
    if site:
        text = sitemap(site, sorted(app.env.found_docs))
        (out / "sitemap.xml").write_text(text, encoding="utf-8")
        if urlsplit(site).path == "/":  # nobody reads it in a folder
            (out / "robots.txt").write_text(f"Sitemap: {site}sitemap.xml\n")


def _join_scripts(source: Path, out: Path) -> None:
    """Write one script for each page that has many: as one they are packed smaller."""
    folder = out / "_static/playground"
    for script in folder.glob("*.js"):
        script.unlink()
    for name, parts in JOINED.items() if source.is_dir() else ():
        texts = [(source / f"{part}.js").read_text("utf-8") for part in parts]
        (folder / f"{name}.js").write_text(stripped("".join(texts)), "utf-8")


def setup(app: Sphinx) -> None:
    """Register them."""
    app.add_config_value("repository", "", "html")
    app.connect("html-collect-pages", _pages)
    app.connect("html-page-context", _context)
    app.connect("build-finished", _files)
