"""Know which file an author edits to change a page of the site."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath

__all__ = ["CELL", "HEADERS", "header_of", "page_of", "pages", "place_of", "source_of"]

CELL = 10_000  # lines: so many are between two cells of a notebook, as myst-nb counts

HEADERS = (  # whichever there is, as sphinx-gallery looks
    "index.rst",
    "GALLERY_HEADER.rst",
    "GALLERY_HEADER.txt",
    "README.rst",
    "README.txt",
)
_SUFFIXES = ".md", ".rst", ".ipynb"


def source_of(docname: str, root: Path) -> str:
    """Return the source of a page below the project's root.

    >>> source_of("lessons/0_a/10_one", Path()), source_of("lessons/0_a/index", Path())
    ('gallery/0_a/10_one.py', 'gallery/0_a/GALLERY_HEADER.rst')
    >>> source_of("rules", Path())
    'docs/rules.md'
    """
    if not docname.startswith("lessons/"):
        pages = [f"docs/{docname}{suffix}" for suffix in _SUFFIXES]
        return next((page for page in pages if (root / page).exists()), pages[0])
    path = docname.replace("lessons", "gallery", 1)
    if docname.endswith("/index"):
        return header_of(root / path.removesuffix("/index"), root)
    return f"{path}.py"


def header_of(folder: Path, root: Path) -> str:
    """Return what introduces the lessons in a folder."""
    paths = [folder / name for name in HEADERS]
    found = next((path for path in paths if path.exists()), paths[1])
    return found.relative_to(root).as_posix()


def pages(root: Path, *suffixes: str) -> list[Path]:
    """Return the pages in ``docs``, but not what Jupyter keeps of older ones."""
    found = [path for s in suffixes for path in root.glob(f"docs/**/*{s}")]
    return sorted(path for path in found if ".ipynb_checkpoints" not in path.parts)


def place_of(docname: str, root: Path, words: str) -> str:
    """Return the source of a page, and the first line that holds some words, else 1."""
    source = source_of(docname, root)
    path = root / source
    text = path.read_text("utf-8", "replace") if path.is_file() else ""
    if source.endswith(".ipynb"):
        cells = ["".join(cell["source"]) for cell in json.loads(text)["cells"]]
    else:
        cells = [text]
    first = CELL if source.endswith(".ipynb") else 0
    found = (
        number * first + line
        for number, cell in enumerate(cells, 1)
        for line, said in enumerate(cell.splitlines(), 1)
        if words in said
    )
    return f"{source}:{next(found, 1)}"


def page_of(name: str) -> str:
    """Return the page of a source below the site's top.

    >>> page_of("gallery/0_basics/10_one.py"), page_of("docs/rules.md")
    ('lessons/0_basics/10_one.html', 'rules.html')
    """
    below = name.removeprefix("docs/").replace("gallery/", "lessons/", 1)
    if name.startswith("gallery/") and not name.endswith(".py"):  # a header
        return PurePosixPath(below).with_name("index.html").as_posix()
    return PurePosixPath(below).with_suffix(".html").as_posix()
