"""A notebook with the wheel alone, exported to PDF, shows the picture."""

import os
import subprocess
import sys
from unicodedata import normalize

import nbformat
import pikepdf
import pytest
from lent import with_wheel
from paper import words_of

from coursebuild.books.chromium import find

CELL = """import torch
from torchutils import make_dot
x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
z = x**2
make_dot(torch.dot(x, z), locals())"""
EXPORT = f"""import sys
from nbconvert.nbconvertapp import main
from playwright.async_api import BrowserType
launch = BrowserType.launch  # nbconvert asks for a Chromium of Playwright's own
BrowserType.launch = lambda *a, **k: launch(*a, executable_path={find()!r}, **k)
sys.argv[1:] = ["--execute", "--to", "webpdf", "--disable-chromium-sandbox", "a.ipynb"]
main()"""


@pytest.fixture(scope="module")
def pdf(tmp_path_factory):
    """Print one; its environment has the wheel, its packages, nbconvert."""
    folder = tmp_path_factory.mktemp("notebook")
    python = with_wheel(folder / "env")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile"]
    subprocess.run([*pip, "--prefix", folder / "env", "nbconvert"], check=True)
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    nbformat.write(book, folder / "a.ipynb")
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    done = subprocess.run(
        [python, "-c", EXPORT], cwd=folder, env=kept, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return folder / "a.pdf"


def test_exported_notebook_says_what_is_in_the_boxes(pdf):
    words = normalize("NFKC", words_of(pdf)[0])  # the fl of float is one letter
    for box in ("leaf · (3,) · float32", "z = pow", "[1, 4, 9]", "leaf: keeps .grad"):
        assert box in words, words


def test_exported_notebook_has_coloured_boxes(pdf):
    with pikepdf.open(pdf) as read:
        drawn = read.pages[0].Contents.read_bytes().decode("latin-1")
    for colour in ((0xDC, 0xEB, 0xFA), (0xDF, 0xF3, 0xE0)):  # of a leaf, of an output
        fill = " ".join(f"{c / 255:.4f}".lstrip("0") for c in colour)
        assert f"{fill} rg" in drawn
