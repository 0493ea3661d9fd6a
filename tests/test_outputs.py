"""One toy site with outputs of every kind: its page, its downloads, its books."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbclient import NotebookClient
from toy import ALPHA, Site

from coursebuild.books.chapters import read_chapters
from coursebuild.books.epub import chapter_page, file_of

LESSON = '''"""
Alpha
=====

Every kind of output.

:Time: 1 minute
"""
# sphinx_gallery_thumbnail_number = 2

import matplotlib.pyplot as plt
from IPython.display import HTML, SVG, Markdown, Math, display

# %%
# Three pictures.

# sphinx_gallery_start_ignore
hidden = 3
# sphinx_gallery_end_ignore
for i in range(hidden):
    plt.figure(figsize=(1, 1)).set_label(f"curve {i}")
    plt.plot([0, i])
    print("before", i)
    plt.show()

# %%
# What notebooks show.

display(Markdown("Some **bold** and $3(167) = 501$."))
display(Math("2(251) = 502"), SVG("<svg><title>a dot</title><circle r='1'/></svg>"))
print("\\x1b[31mred\\x1b[0m\\x00", end="\\r")
HTML("<table><tr><td>\\x0b1<o:p></o:p></td></tr></table><svg viewBox='0 0 1 1'>"
     "<use xlink:href='#none' @click='1'/></svg><!-- a -- b -->")

# %%
# Data and a module.

import tables

tables.table(__file__ if "__file__" in globals() else ".")

# %%
# A hidden end.

# sphinx_gallery_start_ignore
print("the end")
# sphinx_gallery_end_ignore
'''
HELPER = """from pathlib import Path
def table(place):
    return Path(place).resolve().name and Path("data/a.csv").read_text()
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = Site(tmp_path_factory.mktemp("outputs") / "site")
    site.write(ALPHA, LESSON)
    site.write("gallery/0_toy/tables.py", HELPER)
    site.write("gallery/0_toy/data/a.csv", "4,5,6")
    done = site.build()
    assert done.code == 0, done
    return site


@pytest.fixture(scope="module")
def page(built: Site) -> BeautifulSoup:
    text = (built.html / "lessons/0_toy/10_alpha.html").read_text(encoding="utf-8")
    return BeautifulSoup(text, "html5lib")


@pytest.fixture
def zipped(built: Site, tmp_path: Path) -> Path:
    (path,) = built.html.glob("_downloads/*/10_alpha.zip")
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path)
    return tmp_path


def test_page_shows_each_picture_in_its_place(page: BeautifulSoup) -> None:
    cell = page.select(".cell-output")[0]
    seen = [tag.get("alt") or tag.get_text() for tag in cell.select("pre, .only-light")]
    assert seen == [w for i in range(3) for w in (f"before {i}", f"curve {i}")]


def test_page_sets_formulas_of_outputs_without_a_mark(page: BeautifulSoup) -> None:
    cell = page.select(".cell-output")[1]
    assert len(cell.select("math")) == 2
    assert not cell.select(".checked")


def test_page_shows_rich_outputs(page: BeautifulSoup) -> None:
    cell = page.select(".cell-output")[1]
    assert cell.select_one("strong").get_text() == "bold"
    assert cell.select_one('img[alt="a dot"][src$=".svg"]')
    assert [pre.get_text() for pre in cell.select("pre")] == ["red"]


def test_page_hides_what_the_lesson_hides(page: BeautifulSoup) -> None:
    assert "hidden = 3" not in page.get_text()
    assert "range(hidden)" in page.get_text()


def test_hidden_last_cell_shows_its_output(page: BeautifulSoup) -> None:
    assert page.select(".cell-output")[-1].get_text() == "the end"
    assert 'print("the end")' not in page.get_text()


def test_page_says_what_the_zip_holds(page: BeautifulSoup) -> None:
    words = page.select_one(".downloads").get_text()
    assert "The zip holds data/a.csv, tables.py as well." in words


def test_module_is_no_page(built: Site) -> None:
    assert not list(built.html.rglob("tables*"))


def test_card_is_the_picture_that_the_lesson_names(
    built: Site, page: BeautifulSoup
) -> None:
    second = page.select(".cell-output")[0].select(".only-light")[1]["src"]
    index = (built.html / "lessons/0_toy/index.html").read_text(encoding="utf-8")
    (card,) = re.findall(r'src="([^"]*10_alpha_thumb\.svg)"', index)
    folder = built.html / "lessons/0_toy"
    assert (folder / card).read_bytes() == (folder / second).read_bytes()


def test_chapters_of_the_book_are_xml(built: Site) -> None:
    chapters = {c.key: c for c in read_chapters(built.html, file=file_of)}
    page = ElementTree.fromstring(chapter_page(chapters["lessons-0_toy-10_alpha"]))
    assert "before 2" in "".join(page.itertext())


def test_script_of_the_zip_runs(zipped: Path) -> None:
    done = subprocess.run(
        [sys.executable, "10_alpha.py"],
        cwd=zipped,
        env={"MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_notebook_of_the_zip_runs(zipped: Path) -> None:
    book = nbformat.read(zipped / "10_alpha.ipynb", as_version=4)
    code = "".join(cell.source for cell in book.cells if cell.cell_type == "code")
    assert "hidden = 3" in code
    assert "sphinx_gallery" not in code
    resources = {"metadata": {"path": str(zipped)}}
    done = NotebookClient(book, timeout=60, resources=resources).execute()
    assert "'4,5,6'" in json.dumps(done.cells[-3].outputs)
