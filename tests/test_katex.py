"""Formulas, typeset while building."""

import re
import subprocess
import sys

import pytest
from toy import ENVIRONMENT, ROOT

from coursebuild.katex import FOLDER, FormulaError, typeset


def test_formula_carries_mathml_and_its_latex():
    html = typeset(r"\nabla_x y = 4x")
    assert "<math" in html
    assert r'<annotation encoding="application/x-tex">\nabla_x y = 4x' in html


def test_display_formula_stands_by_itself():
    assert 'class="katex-display"' in typeset("x", display=True)


@pytest.mark.parametrize("formula", [r"\nonsense{x}", r"\frac{1}", r"x_{", r"\left( x"])
def test_wrong_formula_is_an_error(formula):
    with pytest.raises(FormulaError):
        typeset(formula)


def test_error_says_what_katex_does_not_know():
    with pytest.raises(FormulaError, match=r"Undefined control sequence: \\nonsense"):
        typeset(r"\nonsense{x}")


def test_style_sheet_asks_only_for_fonts_that_we_have():
    css = (FOLDER / "katex.min.css").read_text()
    wanted = set(re.findall(r"url\(fonts/([^)]+)\)", css))
    assert wanted == {path.name for path in (FOLDER / "fonts").iterdir()}
    assert "http" not in css


def test_height_below_zero_is_left_out():
    html = typeset(r"\frac{du}{dt}\Big\vert_{t=0} = 2")
    assert "height:-" not in html
    assert "height:" in html


def test_process_that_typesets_ends():
    # Without a close, the engine's thread kept about half of them alive for ever.
    code = "from coursebuild.katex import typeset; typeset('x')"
    command = [sys.executable, "-c", code]
    many = [subprocess.Popen(command, cwd=ROOT, env=ENVIRONMENT) for _ in range(12)]
    try:
        assert [process.wait(timeout=120) for process in many] == [0] * 12
    finally:
        for process in many:
            process.kill()
