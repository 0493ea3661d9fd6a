"""Formulas, typeset while building."""

import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from toy import ENVIRONMENT, ROOT

from coursebuild.typeset import FOLDER, FormulaError, displayed, typeset
from coursecheck.maths import RELATION


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


@pytest.mark.parametrize(
    ("formula", "display", "together"),
    [
        ("a = b", False, [2]),  # short, and the comma that follows
        ("a = b", True, []),
        (r"\nabla_M y = \|M\|_F^2 = 15", False, [3]),
        (r"a_0 b_0 + a_1 b_1 + a_2 b_2 = 1", False, [1]),  # its end alone
        (r"d = 4 \cdot 0.6 + 7 \cdot 0.8 = 8", False, [2, 2, 1]),
        (r"x (\ln x + 1) = 4 (\ln 2 + 1)", False, [2, 2]),
        (r"\sigma(x)(1 - \sigma(x)) + 1", False, [2, 1]),
        ("(a + b + c + d + e + f + g + h + i + j + k + l + m)", True, [13]),  # 12 and 1
    ],
)
def test_what_belongs_together_stays_on_one_line(formula, display, together):
    _, *pieces = typeset(formula, display=display).split('<span class="kept">')
    assert [piece.count("katex-base") for piece in pieces] == together


@pytest.mark.parametrize(
    "formula", [r"a \neq b", r"a \ne b", r"a \not= b", r"\not<", r"\sum_{j \neq k} a"]
)
def test_negated_sign_needs_no_private_character(formula):
    assert not re.search(r"[\ue000-\uf8ff]", typeset(formula))


def test_every_command_that_shows_equality_is_a_relation():
    source = (FOLDER / "katex.min.js").read_text()
    found = []
    for name in sorted(set(re.findall(r'"\\\\([A-Za-z]+)"', source))):
        for formula in (rf"a \{name} b", rf"a \{name}{{}}{{}} b"):
            with suppress(FormulaError):
                shown = re.sub("<annotation.*|<[^>]*>", "", typeset(formula))
                if re.search("[=≈≡≅≃≔≕≜≐≑≒≓≖≗≎≏≍⋍]", shown):
                    found.append(formula)
    assert len(found) > 20
    assert [formula for formula in found if not RELATION.search(formula)] == []


def test_process_that_typesets_ends():
    # Without a close, the engine's thread kept about half of them alive for ever.
    code = "from coursebuild.typeset import typeset; typeset('x')"
    command = [sys.executable, "-c", code]
    many = [subprocess.Popen(command, cwd=ROOT, env=ENVIRONMENT) for _ in range(12)]
    try:
        assert [process.wait(timeout=120) for process in many] == [0] * 12
    finally:
        for process in many:
            process.kill()


FORKED = """
import os
from coursebuild.typeset import FormulaError, typeset
def said(formula):
    try:
        return typeset(formula)[:5]
    except (FormulaError, RuntimeError) as error:
        return type(error).__name__
said("x"), said("x_{")
if not os.fork():
    print(said("x"), said("x_{"), said("y"), flush=True)
    os._exit(0)
os.wait()
"""


def test_fork_knows_what_was_typeset_and_waits_for_nothing():
    command = [sys.executable, "-c", FORKED]
    options = {"capture_output": True, "text": True, "timeout": 120}
    done = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, **options)
    assert done.stdout == "<span FormulaError RuntimeError\n"


def formulas():
    for name in ("formulas_true.txt", "formulas_false.txt"):
        lines = Path(__file__).with_name(name).read_text("utf-8").splitlines()
        yield from (line for line in lines if line and line[0] not in "#>")


def test_formula_that_can_be_checked_can_be_typeset():
    found = list(formulas())
    assert len(found) > 300
    for formula in found:
        below = r"\tag" in formula or r"\\" in formula
        assert typeset(displayed(formula) if below else formula, display=below)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("y = 3", "y = 3"),
        ("y = 3\n\nz = 4", r"\begin{gathered}y = 3 \\ z = 4\end{gathered}"),
        ("y &= 3\n\nz &= 4", r"\begin{aligned}y &= 3 \\ z &= 4\end{aligned}"),
        (r"y = 3 \\ z = 4", r"\begin{gathered}y = 3 \\ z = 4\end{gathered}"),
        (r"\begin{equation} y = 3 \end{equation}", "y = 3"),
        (r"\begin{equation}\label{a} y = 3 \end{equation}", "y = 3"),
        (r"\begin{align} y &= 3 \end{align}", r"\begin{aligned}y &= 3\end{aligned}"),
        (
            r"\begin{alignat}{2} y &= 3 \end{alignat}",
            r"\begin{aligned}y &= 3\end{aligned}",
        ),
        (
            r"\begin{eqnarray} y &=& 3 \end{eqnarray}",
            r"\begin{aligned}y &= 3\end{aligned}",
        ),
        (
            r"y &= 3 \tag{a} \\ z &= 4",
            r"\begin{align*}y &= 3 \tag{a} \\ z &= 4\end{align*}",
        ),
        (
            "A = \\begin{pmatrix} 1 & 2 \\\\\n\n3 & 4 \\end{pmatrix}",
            "A = \\begin{pmatrix} 1 & 2 \\\\\n3 & 4 \\end{pmatrix}",
        ),
        (
            "A = \\begin{pmatrix} 1 \\end{pmatrix}\n\nz = 4",
            r"\begin{gathered}A = \begin{pmatrix} 1 \end{pmatrix}"
            r" \\ z = 4\end{gathered}",
        ),
    ],
)
def test_equations_stand_on_lines_of_their_own(formula, expected):
    assert displayed(formula) == expected
    assert typeset(expected, display=True)
