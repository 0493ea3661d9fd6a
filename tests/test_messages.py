"""Thirty mistakes, in a lesson, a page and a notebook: what their author is told."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from typing import NamedTuple

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from toy import Done, Site

LEVEL = "gallery/0_toy"
CARD = "sphinx_gallery_thumbnail_number"


class Mistake(NamedTuple):
    """What is planted, the line that is wrong, and words of the remedy.

    ``rst`` stands in a script, ``md`` on a page and in a notebook, ``code`` in all
    three; what is not given cannot go wrong there.
    """

    name: str
    at: str
    words: str
    code: str = ""
    rst: str = ""
    md: str = ""


MISTAKES = [
    Mistake("raises", "1 / 0", "is caught in its cell", code=f"# {CARD} = 3\n1 / 0"),
    Mistake("package", "import pan", "say `make lock`", code="import pandassss as pd"),
    Mistake("exit", "exit()", "delete the call", code="u = 1\nexit()"),
    Mistake("input", "input(", "nobody is there to answer", code="input('Name?')"),
    Mistake("magic", "%timeit", "delete it, write Python", code="u = 1\n%timeit u"),
    Mistake("shell", "!pip", "a command of Jupyter's", code="!pip install pandas"),
    Mistake("syntax", "u = (", "is a bracket open", code="u = (\n"),
    Mistake("unused", "import math", "delete the import", code="import math"),
    Mistake(
        "warning",
        "warnings.warn",
        'sphinx_gallery_warns = ["odd one"]',
        code="import warnings\nwarnings.warn('odd one')",
    ),
    Mistake("address", "object()", "give its class a __repr__", code="object()"),
    Mistake(
        "figure",
        "plt.plot",
        "set_label",
        code="import matplotlib.pyplot as plt\nplt.plot([1, 2]);",
    ),
    Mistake("false", "z = 5", "code        4", rst=":math:`z = 5`", md="$z = 5$"),
    Mistake("letter", "q = 5", "q", rst=":math:`z + q = 5`", md="$z + q = 5$"),
    Mistake("example", ">>> z", "stated    5", rst=">>> z\n5", md=">>> z\n5"),
    Mistake("role", "foo", "is foo spelt right?", rst=":foo:`z`", md="{foo}`z`"),
    Mistake("domain", "foo:bar", "is foo:bar spelt right?", rst=":foo:bar:`z`"),
    Mistake(
        "directive",
        "exercize",
        "is exercize spelt right?",
        rst=".. exercize::\n\n   Do it.",
        md="```{exercize}\nDo it.\n```",
    ),
    Mistake(
        "colon",
        "math",
        ":math:`…`",
        rst="So math:`z = 4` holds.",
        md="So {math} `z = 4` holds.",
    ),
    Mistake("literal", "is open", "close what these", rst="This ``is open."),
    Mistake(
        "open",
        "is open",
        "close what these",
        rst="A ``is open.\n\n.. note::\n\n   ``b``",
    ),
    Mistake(
        "step",
        "y sends",
        "copy its words",
        rst=":step:`y sends to s`",
        md="{step}`y sends to s`",
    ),
    Mistake("ticks", "`z = 4`", "write :math:`…`", rst="So `z = 4` holds."),
    Mistake(
        "law",
        "wrong",
        "KaTeX, which sets the formulas",
        rst=r":law:`\wrong x`",
        md=r"{law}`\wrong x`",
    ),
    Mistake(
        "page", "nowhere", "no such page", rst=":doc:`nowhere`", md="[](nowhere.md)"
    ),
    Mistake(
        "ref", "nowhere", "no such place", rst=":ref:`nowhere`", md="{ref}`nowhere`"
    ),
    Mistake(
        "object",
        "torch.Zork",
        "nothing here documents torch.Zork",
        rst=":class:`torch.Zork`",
        md="{py:class}`torch.Zork`",
    ),
    Mistake(
        "term", "zork", "does not define zork", rst=":term:`zork`", md="{term}`zork`"
    ),
    Mistake(
        "image",
        "none.png",
        "no such picture",
        rst=".. image:: none.png\n   :alt: None",
        md="![None](none.png)",
    ),
    Mistake(
        "loose", "3.75", "put it into a formula", rst="It is 3.75.", md="It is 3.75."
    ),
    Mistake(
        "twice",
        "Part",
        "give one of the two sections another title",
        rst="Part\n----\n\nA.\n\nPart\n----\n\nB.",
        md="## Part\n\nA.\n\n## Part\n\nB.",
    ),
    Mistake(
        "underline", "A section", "as long as the title", rst="A section\n----\n\nA."
    ),
    Mistake("jump", "### Deep", "levels are not skipped", md="### Deep\n\nA."),
    Mistake("list", "two", "put a blank line", rst="* one\ntwo"),
    Mistake("card", "thumbnail", "1 is the first, -1 the", rst=f"{CARD} = 3"),
    Mistake("target", "there_", "write `.. _there: address`", rst="Go there_ now."),
]


def lesson(name: str, mistake: Mistake) -> str:
    head = f'r"""\n{name}\n{"=" * len(name)}\n\nA toy.\n\n:Time: 1 minute\n"""\n'
    text = "".join(f"# {line}".rstrip() + "\n" for line in mistake.rst.splitlines())
    text = f"\n# %%\n# A text before it.\n\nz = 4\nz\n\n# %%\n# So:\n#\n{text}"
    return f"{head}{text}\n{mistake.code or 'z'}\n"


def page(name: str, mistake: Mistake) -> str:
    head = "---\nfile_format: mystnb\nkernelspec:\n  name: python3\n---\n\n"
    first = f"# {name}\n\nA text.\n\n```{{code-cell}} python\nz = 4\nz\n```\n\n"
    cell = f"```{{code-cell}} python\n{mistake.code or 'z'}\n```\n"
    return f"{head}{first}So:\n\n{mistake.md}\n\n{cell}"


def notebook(name: str, mistake: Mistake, **metadata: object) -> str:
    cells = [
        new_markdown_cell(f"# {name}\n\nA text."),
        new_code_cell("z = 4\nz"),
        new_markdown_cell(f"So:\n\n{mistake.md}".strip()),
        new_code_cell(mistake.code or "z"),
    ]
    book = new_notebook(cells=cells, metadata={"lesson": {"checks": "strict"}})
    return str(nbformat.writes(book))


def files_of(mistake: Mistake) -> Iterator[tuple[str, str, str]]:
    """Yield the files that hold a mistake: name, text, the beginning of its message."""
    name = mistake.name
    if mistake.code or mistake.rst:
        text = lesson(name, mistake)
        file = f"{LEVEL}/50_{name}.py"
        yield file, text, f"{file}:{line_of(text, mistake)}"
    if mistake.code or mistake.md:
        text = page(f"The page {name}", mistake)
        file = f"docs/{name}_page.md"
        yield file, text, f"{file}:{line_of(text, mistake)}"
        file, cell = f"docs/{name}_book.ipynb", 4 if mistake.code else 3
        source = mistake.code or f"So:\n\n{mistake.md}"
        place = f"{file}: cell {cell}, line {line_of(source, mistake)}"
        yield file, notebook(f"The notebook {name}", mistake), place


def line_of(text: str, mistake: Mistake) -> int:
    """Return the line of what is wrong: the last, where it stands twice."""
    lines = [n for n, line in enumerate(text.splitlines(), 1) if mistake.at in line]
    return lines[-1]


PLACES = [
    (mistake, file, place)
    for mistake in MISTAKES
    for file, _, place in files_of(mistake)
]


GLOSSARY = "# Glossary\n\n```{glossary}\nword\n  A word.\n```\n"


def plant(site: Site) -> None:
    """Write a file for each place of each mistake."""
    names = ["lessons/index", "page", "glossary"]
    for mistake in MISTAKES:
        for file, text, _ in files_of(mistake):
            site.write(file, text)
            if file.startswith("docs/"):
                names.append(file.removeprefix("docs/").rpartition(".")[0])
    toctree = "\n".join(names)
    site.write("docs/index.md", f"# Toy\n\n```{{toctree}}\n{toctree}\n```\n")
    site.write("docs/glossary.md", GLOSSARY)


@pytest.fixture(scope="module")
def mistaken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Return a site that holds every mistake."""
    site = Site(tmp_path_factory.mktemp("mistaken") / "site")
    plant(site)
    yield site
    shutil.rmtree(site.root)


@pytest.fixture(scope="module")
def told(mistaken: Site) -> Done:
    """Build it."""
    return mistaken.build()


def parted(text: str) -> list[str]:
    """Return the messages, one by one."""
    return [said.strip() for said in re.split(r"\n+(?=(?:gallery|docs)/)", text)]


@pytest.mark.parametrize(
    ("mistake", "place"),
    [(mistake, place) for mistake, _, place in PLACES],
    ids=[file for _, file, _ in PLACES],
)
def test_message_names_the_author_s_line_and_a_remedy(
    told: Done, mistake: Mistake, place: str
) -> None:
    mine = [
        text
        for text in parted(told.error)
        if re.match(rf"{re.escape(place)}(?!\d)", text)
    ]
    assert any(mistake.words in text for text in mine), told.error


def test_messages_hold_no_traceback_and_begin_with_a_file(told: Done) -> None:
    assert told.code == 1
    assert "Traceback" not in told.error
    first = [text for text in told.error.splitlines() if text[:1] not in ("", " ")]
    assert [text for text in first if not re.match(r"(gallery|docs)/\S+:", text)] == []


def test_message_of_a_lesson_that_failed_asks_for_nothing_it_would_have_shown(
    told: Done,
) -> None:
    assert "50_card.py" in told.error
    assert "50_raises.py:" in told.error
    assert told.error.count("1 is the first") == 1


def test_make_doctest_tells_what_make_html_tells(mistaken: Site, told: Done) -> None:
    """But for what only Sphinx notices, and figures, which only a page needs."""
    done = mistaken.build("doctest")
    assert done.code == 1
    here, there = set(parted(done.error)), set(parted(told.error))
    silent = {said for said in here if "states nothing to check" in said}
    assert here - there - silent == set()
    for name in ("raises", "false", "example", "unused", "loose", "magic"):
        assert sum(f"/50_{name}.py:" in said for said in here) >= 1
