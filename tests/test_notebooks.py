"""Lessons' text as Markdown: what a notebook shows of each construct."""

import nbformat
import pytest

from coursebuild.notebooks import markdown, notebook
from coursecheck.stated import Block

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
]


@pytest.mark.parametrize(("rst", "wanted"), CASES)
def test_markdown_of_a_construct(rst, wanted):
    assert markdown([rst]) == [wanted]


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
