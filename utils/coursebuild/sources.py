"""Know which file an author edits to change a page of the site."""

from __future__ import annotations

from pathlib import Path

__all__ = ["HEADERS", "header_of", "pages", "source_of"]

HEADERS = "index.rst", "GALLERY_HEADER.rst", "GALLERY_HEADER.txt"
HEADERS += "README.rst", "README.txt"  # whichever there is, as sphinx-gallery looks
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
