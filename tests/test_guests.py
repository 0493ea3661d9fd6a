"""Lessons in the habits of other courses: with notes they build, strict they do not."""

from __future__ import annotations

import json

import pytest
from toy import Done, Site

LEVEL = "gallery/5_guests"
SLOPE = f"{LEVEL}/10_slope.py"
SCRIPTS = {
    SLOPE: r'''# -*- coding: utf-8 -*-
"""
`Basics <intro.html>`_ ||
**Slope**

Slope of a line
===============

This needs PyTorch >= 2.0, see section 3.2. A `keepdim=True` is no formula.
For a function :math:`f(x)` the rule is :math:`(fg)' = f'g + fg'`.
"""

import torch

x = torch.ones(3, requires_grad=True)
y = (x * 2).sum()
print(y.grad_fn)

######################################################################
# What is recorded
# ----------------
#
# .. figure:: /_static/img/graph.png
#    :alt: the graph of y
#
# .. image:: https://example.org/elsewhere.png
#    :alt: another graph
#    :scale: 25 %
#
# - A list
#   goes on
# and ends without a blank line; the notice \_ has a backslash.
#
# .. youtube:: abc123
#
# We have :math:`y = 6`, and :math:`E = mc^2`, and it is 0.25 elsewhere.
# See :class:`torch.NoSuchThing` and :ref:`nowhere <no-such-place>`.

y.backward()
y.grad_fn

######################################################################
# Exercises
# ---------
#
# One. You will see
#
# ::
#
#    >>> x.grad.fill("a")
#    RuntimeError: something else

import warnings

warnings.warn("this will change", FutureWarning)

######################################################################
# Exercises
# ---------
#
# Two.

lambda: 0
''',
    f"{LEVEL}/20_curve.py": '''"""
Curve
=====

A curve, without a word on it.
"""
# sphinx_gallery_thumbnail_number = 40
import matplotlib.pyplot as plt

for k in range(22):
    fig = plt.figure()
    fig.suptitle(f"Curve {k}")

# %%
# A last one:

plt.plot([1, 2])
plt.show()
''',
}
CELLS = [
    ("markdown", "# A notebook\n\nWe have $a = 3$ and $F = ma$."),
    ("code", "%matplotlib inline\na = 3\na"),
    ("code", "1 / 0"),
    ("code", "import nothing_of_this_name"),
]
TAGS = [[], [], ["raises-exception"], ["skip-execution"]]
BOOK = "docs/book.ipynb"
HEADER = f"{LEVEL}/GALLERY_HEADER.rst"
EASY = "Guests\n------\n\nOf others.\n\n.. formulas: laws\n\n.. consoles: shown\n"


def notebook() -> str:
    """Return a plain notebook, as Jupyter writes it."""
    cells = []
    for number, ((kind, source), tags) in enumerate(zip(CELLS, TAGS, strict=True)):
        cell = {"cell_type": kind, "id": f"c{number}", "source": source}
        cell["metadata"] = {"tags": tags} if tags else {}
        if kind == "code":
            cell |= {"outputs": [], "execution_count": None}
        cells.append(cell)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    metadata = {"kernelspec": kernel, "lesson": {"formulas": "laws"}}
    return json.dumps(
        {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    )


@pytest.fixture(scope="module")
def guests(tmp_path_factory: pytest.TempPathFactory) -> tuple[Site, Done]:
    """Build a site with guests."""
    site = Site(tmp_path_factory.mktemp("guests") / "site")
    for name, text in {**SCRIPTS, HEADER: EASY, BOOK: notebook()}.items():
        site.write(name, text)
    index = site.read("docs/index.md").replace("page\n", "page\nbook\n")
    site.write("docs/index.md", index)
    return site, site.build()


def page(site: Site, name: str) -> str:
    return (site.html / name).read_text(encoding="utf-8")


def test_lessons_of_others_are_built(guests):
    _, done = guests
    assert done.code == 0, done


NOTES = [  # a place, and words that stand in a note on it
    (f"{SLOPE}:3\n", "links to intro.html"),
    (f"{SLOPE}:17", "shows <SumBackward0 object"),
    (f"{SLOPE}:23\n", "graph.png"),
    (f"{SLOPE}:26\n", "asks another host for https://example.org/elsewhere.png"),
    (SLOPE.removesuffix(".py"), "ends without a blank line"),
    (SLOPE.removesuffix(".py"), 'Unknown directive type "youtube"'),
    (SLOPE.removesuffix(".py"), "torch.NoSuchThing"),
    (SLOPE.removesuffix(".py"), "no-such-place"),
    (SLOPE.removesuffix(".py"), "duplicate label"),
    (f"{SLOPE}:36\n", "0.25 stands where nothing checks it"),
    (SLOPE, "1 examples are shown and not run"),
    (f"{SLOPE}:55", "FutureWarning: this will change"),
    (f"{SLOPE}:63", "shows <function <lambda>"),
    (f"{LEVEL}/20_curve.py:7", "thumbnail_number = 40, but the lesson shows 23"),
    (f"{LEVEL}/20_curve.py:7", "are told: Curve 21"),
    (f"{LEVEL}/20_curve.py:18", "a figure that nobody has described"),
    (BOOK, "%matplotlib inline is ignored"),
]


@pytest.mark.parametrize(("place", "words"), NOTES)
def test_each_habit_is_noted_at_its_place(guests, place, words):
    _, done = guests
    notes = done.out.split("note: ")[1:]
    assert [n for n in notes if place in n and words in n], done.out


def test_page_shows_what_the_lesson_showed(guests):
    site, _ = guests
    text = page(site, "lessons/5_guests/10_slope.html")
    assert "&lt;SumBackward0 object&gt;" in text
    assert "FutureWarning: this will change" in text
    assert "<em>the graph of y</em>" in text
    assert '<a href="https://example.org/elsewhere.png">another graph</a>' in text
    assert "abc123" in text
    assert 'href="intro.html"' not in text
    assert "&gt;&gt;&gt; " in text  # shown, though not run
    assert text.count('class="checked law"') == 2
    assert 'class="downloads' in text  # without a field list


def test_notebook_shows_its_error_and_what_did_not_run(guests):
    site, _ = guests
    text = page(site, "book.html")
    assert "ZeroDivisionError: division by zero" in text
    assert "(not executed)" in text
    assert "a general law, not checked" in text


def test_false_formula_stops_guests_too(guests):
    site, _ = guests
    site.write(SLOPE, SCRIPTS[SLOPE].replace("y = 6", "y = 7"))
    site.write(BOOK, notebook().replace("a = 3$", "a = 4$"))
    done = site.build()
    assert done.code == 1
    assert f"{SLOPE}:36" in done.error
    assert BOOK in done.error


def test_strict_level_is_stopped_by_its_habits(guests):
    site, _ = guests
    site.write(HEADER, EASY + "\n.. checks: strict\n")
    site.write(SLOPE, SCRIPTS[SLOPE])
    site.write(BOOK, notebook())
    done = site.build()
    assert done.code == 1
    assert f"{SLOPE}:17: cell 1 shows <SumBackward0 object" in done.error
    assert f"{LEVEL}/20_curve.py:7: cell 1 shows a figure" in done.error
