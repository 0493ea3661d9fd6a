"""Lessons' text as Markdown: what a notebook shows of each construct."""

import nbformat
import pytest

from coursebuild.downloads import notebooks
from coursebuild.downloads.notebooks import markdown, notebook
from coursebuild.downloads.portable import Place
from coursecheck.stated import Block
from courserun.kept import Kept

CASES = [
    ("A *word* and ``code``.", "A *word* and `code`."),
    (r"The slope :math:`\frac{1}{2}`.", r"The slope $\frac{1}{2}$."),
    (r"In general :law:`\nabla f`.", r"In general $\nabla f$."),
    (":func:`torch.autograd.grad`", "`torch.autograd.grad`"),
    (":meth:`~torch.Tensor.backward`", "`backward`"),
    (":doc:`the graph </lessons/1_a/20_b>` next", "the graph next"),
    ("See `the book <https://d2l.ai>`__.", "See [the book](https://d2l.ai)."),
    ("A fact [#s]_.\n\n.. [#s] Its source.", "A fact (Its source.)."),
    (
        ":Time: 20 minutes\n:Level: Basics",
        "- **Time**: 20 minutes\n- **Level**: Basics",
    ),
    ("Head\n====", "# Head"),
    (".. note:: Look.", "> **Note**\n>\n> Look."),
    (".. math::\n   :class: law\n\n   a = b", "$$a = b$$"),
    (">>> x.grad\ntensor([1.])", "``` python\n>>> x.grad\ntensor([1.])\n```"),
    (
        ">>> for i in x:\n...     i\n1\n2\n\nAfter.",
        "``` python\n>>> for i in x:\n...     i\n1\n2\n```\n\nAfter.",
    ),
    (
        ".. predict::\n\n   What?\n\n   .. answer::\n\n      This.\n\n"
        "      >>> 1\n      1",
        "**Predict**\n\nWhat?\n\n<details><summary>Answer</summary>\n\nThis.\n\n"
        "``` python\n>>> 1\n1\n```\n\n</details>",
    ),
    (
        ".. predict::\n\n   What?\n\n   .. ask:: x**2\n\n   .. answer::\n\n      This."
        "\n\n      .. wrong:: 2 * (\n         x)\n\n         A slip.",
        "**Predict**\n\nWhat?\n\n<details><summary>Answer</summary>\n\nThis.\n\n"
        "If you found `2 * ( x)`:\n\nA slip.\n\n</details>",
    ),
    (
        ".. list-table::\n   :header-rows: 1\n\n   * - a\n   * - 1",
        "| a   |\n|-----|\n| 1   |",
    ),
    (
        ".. math::\n\n   \\begin{align}\n   y &= x \\\\\n   z &= y\n   \\end{align}",
        "$$\\begin{aligned}\ny &= x \\\\\nz &= y\n\\end{aligned}$$",
    ),
    (
        ".. math::\n\n   y &= x \\\\ z",
        "$$\\begin{aligned}\ny &= x \\\\ z\n\\end{aligned}$$",
    ),
    (".. math::\n\n   y = x^2\n\n   z = y", "$$y = x^2$$\n\n$$z = y$$"),
    (".. math:: y = 1\n\nAfter.", "$$y = 1$$\n\nAfter."),
    (
        ".. math::\n   :label: a\n\n   y = 1\n\n   z = 2\n\nBy :eq:`a`.",
        "$$y = 1$$\n\n$$z = 2 \\tag{1}$$\n\nBy (1).",
    ),
    (
        ".. figure:: https://e.org/a.svg\n   :alt: A curve\n   :width: 9\n\n"
        "   The slope :math:`2x`.\n\n   More.",
        "![A curve](https://e.org/a.svg)\n\nThe slope $2x$.\n\nMore.",
    ),
    (".. admonition:: Own title\n\n   Text.", "> **Own title**\n>\n> Text."),
    (".. seealso:: Other.", "> **See also**\n>\n> Other."),
    (".. versionadded:: 2.0\n   Text.", "> **Added in 2.0**\n>\n> Text."),
    (
        ".. exercise::\n\n   A.\n\n.. exercise::\n\n   B.",
        "**Exercise 1**\n\nA.\n\n**Exercise 2**\n\nB.",
    ),
    (
        ".. code-block:: python\n   :caption: A file\n\n   x = 1",
        "**A file**\n\n``` python\nx = 1\n```",
    ),
    (".. only:: html\n\n   Text.", "Text."),
    ("See `the book <https://d2l.ai>`_.", "See [the book](https://d2l.ai)."),
    (".. _here:\n\nSee here_.", "See here."),
    (":term:`leaf`, :term:`leaves <leaf>`", "leaf, leaves"),
    (":download:`the data <a.csv>`", "[the data](a.csv)"),
    ("Write ``:math:`x```.", "Write `` :math:`x` ``."),
]


@pytest.mark.parametrize(("rst", "wanted"), CASES)
def test_markdown_of_a_construct(rst, wanted):
    assert markdown([rst]) == [wanted]


CELLS = [
    (":math:`|x|`", r"$\vert x\vert$"),
    (r":math:`\|x\|`", r"$\Vert x\Vert$"),
    ("``a | b``", "<code>a &#124; b</code>"),
    ("a | b", r"a \| b"),
    ("- one\n       - two", "• one<br>• two"),
    ("one\n\n       two", "one<br>two"),
]


@pytest.mark.parametrize(("rst", "wanted"), CELLS)
def test_cell_of_a_table_stays_one(rst, wanted):
    (found,) = markdown(
        [f".. list-table::\n\n   * - a\n     - {rst}\n   * - b\n     - c"]
    )
    assert [cell.strip() for cell in found.splitlines()[2].split(" | ")][1:] == [
        *(wanted + " |").split(" | ")
    ]


def test_formula_in_a_table_of_html_stays_one():
    table = (
        "+---+--------------+\n| a | :math:`x<y`  |\n+---+--------------+\n"
        "| both             |\n+------------------+"
    )
    (found,) = markdown([table])
    assert "<td>$x&lt;y$</td>" in found


def test_included_file_is_in_the_notebook(tmp_path):
    (tmp_path / "a.py").write_text("one = 1\ntwo = 2\n")
    rst = ".. literalinclude:: /a.py\n   :lines: 2\n   :caption: A file\n\nAfter."
    (found,) = markdown([rst], Place(docs=tmp_path))
    assert found == "**A file**\n\n``` python\ntwo = 2\n```\n\nAfter."


def test_included_text_is_in_the_notebook(tmp_path):
    (tmp_path / "a.rst").write_text("Some :math:`x`.\n\n.. math::\n\n   y\n\n   z\n")
    (found,) = markdown(["Before.\n\n.. include:: /a.rst\n"], Place(docs=tmp_path))
    assert found == "Before.\n\nSome $x$.\n\n$$y$$\n\n$$z$$"


SITE = Place(docname="lessons/1_a/10_b", site="https://e.org/")
LINKS = [
    (":doc:`the graph </lessons/1_a/20_c>`", "the graph", "lessons/1_a/20_c.html"),
    (":doc:`20_c`", "20_c", "lessons/1_a/20_c.html"),
    (":doc:`rules </rules>`", "rules", "rules.html"),
    (":ref:`there <rules:Own words>`", "there", "rules.html#own-words"),
    (":term:`leaves <leaf>`", "leaves", "glossary.html#term-leaf"),
]


@pytest.mark.parametrize(("rst", "text", "path"), LINKS)
def test_link_leads_to_the_site_where_it_has_an_address(rst, text, path):
    assert markdown([rst], SITE) == [f"[{text}](https://e.org/{path})"]


def test_picture_travels_in_the_notebook(tmp_path):
    (tmp_path / "c.svg").write_bytes(b"<svg/>")
    rst = ".. figure:: /c.svg\n   :alt: A curve\n\n   Words."
    (cell,) = notebook([("text", rst, 1)], Place(docs=tmp_path))["cells"]
    assert cell["source"] == "![A curve](attachment:c.svg)\n\nWords."
    assert cell["attachments"] == {"c.svg": {"image/svg+xml": "PHN2Zy8+"}}
    nbformat.validate(nbformat.from_dict(notebook([("text", rst, 1)])))


def test_markdown_keeps_blocks_apart():
    assert markdown(["one", ".. answer::\n\n   two", "three"]) == [
        "one",
        "<details><summary>Answer</summary>\n\ntwo\n\n</details>",
        "three",
    ]


def test_markdown_finds_a_link_target_of_another_block():
    texts = ["See `the book`_.", ".. _the book: https://d2l.ai"]
    assert markdown(texts)[0] == "See [the book](https://d2l.ai)."


def test_notebook_is_valid():
    blocks = [Block("text", "Title\n=====", 1), Block("code", "x = 1\n", 4)]
    book = notebook([(b.kind, b.source, b.line) for b in blocks])
    nbformat.validate(nbformat.from_dict(book))
    assert [cell["source"] for cell in book["cells"]] == ["# Title", "x = 1"]


@pytest.mark.parametrize("text", ["This ``is open", "It ends in \\"])
def test_markup_that_is_open_swallows_no_block(text: str) -> None:
    """pandoc read over the boundary, and the build ended in a StopIteration."""
    assert len(markdown([text, "Then ``x``.", "Last."])) == 3


def test_texts_that_are_kept_are_not_converted_again(tmp_path, monkeypatch):
    kept = Kept(tmp_path)
    first = markdown(["The slope is :math:`2x`."], kept=kept)
    monkeypatch.setattr(notebooks, "_pandoc", lambda _: pytest.fail("was asked"))
    assert markdown(["The slope is :math:`2x`."], kept=kept) == first
    with pytest.raises(pytest.fail.Exception, match="was asked"):
        markdown(["The slope is :math:`3x`."], kept=kept)


def test_texts_that_nobody_asks_for_are_swept(tmp_path):
    markdown(["old"], kept=Kept(tmp_path))
    kept = Kept(tmp_path)
    markdown(["new"], kept=kept)
    kept.sweep()
    (path,) = tmp_path.iterdir()
    assert "new" in path.read_text(encoding="utf-8")


def test_text_that_reads_a_file_is_not_kept(tmp_path, monkeypatch):
    table = tmp_path / "table.csv"
    text = f".. csv-table::\n   :file: {table}\n"
    table.write_text("1,2\n")
    first = markdown([text], kept=Kept(tmp_path / "kept"))
    table.write_text("3,4\n")
    assert markdown([text], kept=Kept(tmp_path / "kept")) != first
