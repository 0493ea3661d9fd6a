"""Outputs as a notebook shows them: in order, whole, whatever they are."""

from __future__ import annotations

import io
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image
from test_cells import NAME, message, pictures, run

from coursebuild.lessons.outputs import output_html
from courserun.figures import DARK, INK, LARGEST_CARD, LARGEST_SVG, LIGHT
from courserun.lesson import Output, Picture, Shown

SVG = "<svg><title>a dot</title><circle r='1'/></svg>"
PLOT = "import matplotlib.pyplot as plt\n"
SHOW = "from IPython.display import *\n"


def kinds(output: Output | None) -> list[str]:
    """Return what an output is made of: pictures by their words, texts as they are."""
    assert output is not None
    return [p.alt if isinstance(p, Picture) else p.source for p in output.parts]


def curve(name: str) -> str:
    return f"plt.plot([0, 1])\nplt.gcf().set_label({name})\n"


FIGURES = {
    "one picture for each show": (
        "for i in range(3):\n    plt.plot([0, i])\n    plt.gcf().set_label(f'c{i}')\n"
        "    print(i)\n    plt.show()\nprint('end')",
        ["0\n", "c0", "1\n", "c1", "2\n", "c2", "end\n"],
    ),
    "closed after it was shown": (
        curve("'a'") + "plt.show()\nplt.close('all')",
        ["a"],
    ),
    "changed after it was shown": (
        "fig, ax = plt.subplots()\nfig.set_label('a')\nplt.show()\n"
        "fig.set_label('b')\nax.plot([1])\nplt.show()\n_ = fig",
        ["a"],
    ),
    "displayed at each step": (
        "from IPython.display import display\nfig, ax = plt.subplots()\n"
        "for i in range(2):\n    fig.set_label(f'c{i}')\n    ax.plot([0, i])\n"
        "    display(fig)",
        ["c0", "c1"],
    ),
    "value of the last line": (
        "fig, ax = plt.subplots()\nfig.set_label('a')\nfig",
        ["a"],
    ),
    "open at the end": ("print(1)\n" + curve("'a'") + "print(2)", ["1\n2\n", "a"]),
    "show of its own name": (
        "from matplotlib.pyplot import show\n" + curve("'a'") + "show()\nprint(1)",
        ["a", "1\n"],
    ),
}


@pytest.mark.parametrize("case", FIGURES)
def test_figures_come_where_a_notebook_shows_them(case: str) -> None:
    code, wanted = FIGURES[case]
    result = run(PLOT + code)
    assert result.failure is None
    assert kinds(result.outputs[0]) == wanted


def test_figures_of_a_loop_differ() -> None:
    code, _ = FIGURES["one picture for each show"]
    drawn = pictures(run(PLOT + code).outputs[0])
    assert len({picture.light for picture in drawn}) == 3


def test_pyplot_is_ours_whoever_imports_it() -> None:
    code = (
        "import importlib\nplt = importlib.import_module('mat' + 'plotlib.pyplot')\n"
        "plt.figure().set_label('a')\nplt.show()\nprint(1)"
    )
    assert kinds(run(code).outputs[0]) == ["a", "1\n"]


VALUES = {
    "Markdown": (SHOW + "Markdown('**b**')", Shown("markdown", "**b**")),
    "HTML": (SHOW + "HTML('<b>b</b>')", Shown("html", "<b>b</b>")),
    "Math": (SHOW + "Math('x^2')", Shown("latex", r"$\displaystyle x^2$")),
    "Latex": (SHOW + "Latex('Let $x$')", Shown("latex", "Let $x$")),
    "JSON": (SHOW + "JSON({'a': 1})", Shown("text", '{\n  "a": 1\n}')),
    "sympy": (
        "import sympy\nsympy.Symbol('x') ** 2",
        Shown("latex", r"$\displaystyle x^{2}$"),
    ),
    "markdown method": (
        "class A:\n    def _repr_markdown_(self): return '*a*'\nA()",
        Shown("markdown", "*a*"),
    ),
    "latex method": (
        "class A:\n    def _repr_latex_(self): return '$a$'\nA()",
        Shown("latex", "$a$"),
    ),
    "bundle": (
        "class A:\n    def _repr_mimebundle_(self, include, exclude):\n"
        "        return {'text/plain': 'a', 'text/html': '<i>a</i>'}\nA()",
        Shown("html", "<i>a</i>"),
    ),
    "bundle of text alone": (
        "class A:\n    def __repr__(self): return 'a'\n"
        "    def _repr_mimebundle_(self, **_): return {}\nA()",
        Shown("text", "a"),
    ),
    "the best of several": (
        "class A:\n    def _repr_svg_(self): return 1 / 0\n"
        "    def _repr_html_(self): return '<i>a</i>'\nA()",
        Shown("html", "<i>a</i>"),
    ),
    "shows itself": (
        SHOW + "class A:\n    def _ipython_display_(self): display(HTML('<i>a</i>'))\n"
        "A()",
        Shown("html", "<i>a</i>"),
    ),
    "data frame": (
        "class Frame:\n    def _repr_html_(self): return '<table></table>'\n"
        "    def __repr__(self): return 'a b'\nFrame()",
        Shown("html", "<table></table>"),
    ),
    "progress": (
        r"for i in range(3): print(f'\r{i} of 2', end='')",
        Shown("text", "2 of 2"),
    ),
    "colours": (r"print('\x1b[31mred\x1b[0m')", Shown("text", "red\n")),
    "controls": (r"print('a\x00b\x0c')", Shown("text", "ab\n")),
    "controls in HTML": (
        SHOW + r"HTML('a\x00<b>b\x0c</b>')",
        Shown("html", "a<b>b</b>"),
    ),
    "controls in a repr": (
        "class A:\n    def __repr__(self): return '\\x1b[1ma\\x1b[0m\\x00'\nA()",
        Shown("text", "a"),
    ),
}


@pytest.mark.parametrize("case", VALUES)
def test_value_shows_as_in_a_notebook(case: str) -> None:
    code, wanted = VALUES[case]
    result = run(code)
    assert result.failure is None
    assert result.outputs == (Output((wanted,)),)


PICTURES = {
    "SVG": (SHOW + f'SVG("{SVG}")', ".svg", "a dot"),
    "svg method": (
        f'class A:\n    def _repr_svg_(self): return "<?xml?><!DOCTYPE svg>{SVG}"\nA()',
        ".svg",
        "a dot",
    ),
    "Pillow": (
        "from PIL import Image\nimage = Image.new('RGB', (9, 9), 'red')\n"
        "image.info['Description'] = 'red'\nimage",
        ".png",
        "red",
    ),
    "Image": (
        SHOW + "from PIL import Image as I\nI.new('L', (9, 9)).save('a.jpg')\n"
        "Image('a.jpg', alt='grey', width=5)",
        ".jpg",
        "grey",
    ),
    "metadata": (
        SHOW + f'display(SVG("{SVG}"), metadata={{"image/svg+xml": {{"alt": "b"}}}})',
        ".svg",
        "b",
    ),
}


@pytest.mark.parametrize("case", PICTURES)
def test_picture_that_is_a_value_is_shown(case: str) -> None:
    code, suffix, alt = PICTURES[case]
    result = run(code)
    assert result.failure is None
    (picture,) = pictures(result.outputs[0])
    assert (picture.suffix, picture.alt) == (suffix, alt)
    if suffix == ".svg":
        assert ElementTree.fromstring(picture.light).tag.endswith("}svg")


def test_width_of_a_picture_is_kept() -> None:
    (picture,) = pictures(run(PICTURES["Image"][0]).outputs[0])
    assert picture.width == 5


DISPLAYS = {
    "in mid-cell": (
        "print(1)\ndisplay(2, 3)\nprint(4)\n5",
        ["1\n", "2", "3", "4\n", "5"],
    ),
    "updated": (
        "handle = display(1, display_id=True)\nprint(2)\nhandle.update(3)",
        ["3", "2\n"],
    ),
    "cleared": ("print(1)\nclear_output()\nprint(2)", ["2\n"]),
    "cleared when more comes": (
        "print(1)\nclear_output(wait=True)\nprint(2)\nclear_output(wait=True)",
        ["2\n"],
    ),
    "a bundle": (
        "publish_display_data({'text/html': '<b>b</b>', 'text/plain': 'b'})",
        ["<b>b</b>"],
    ),
    "nothing": ("display()", []),
    "None": ("display(None)", ["None"]),
}


@pytest.mark.parametrize("case", DISPLAYS)
def test_display_comes_where_it_is_called(case: str) -> None:
    code, wanted = DISPLAYS[case]
    result = run(SHOW + code)
    assert result.failure is None
    assert kinds(result.outputs[0]) == wanted


def test_display_needs_no_import_on_a_page() -> None:
    result = run("display(1)\n2", markup="md")
    assert kinds(result.outputs[0]) == ["1", "2"]
    code = "handle = display(1, display_id=True)\nhandle.update(2)"
    assert kinds(run(code, markup="md").outputs[0]) == ["2"]


REFUSED = {
    "display without import": ("display(1)", ": from IPython.display import display"),
    "JavaScript": (SHOW + "Javascript('1')", "no page of this site can: show HTML"),
    "picture without words": (
        "from PIL import Image\nImage.new('RGB', (9, 9))",
        "picture.info['Description'] = ",
    ),
    "SVG without words": (SHOW + "SVG('<svg></svg>')", "begin it with a <title>"),
    "SVG that is torn": (
        "class A:\n    def _repr_svg_(self): return '<svg><g></svg>'\nA()",
        "shows an SVG that is no XML",
    ),
    "update of another cell": (
        SHOW + "update_display(1, display_id='a')",
        "updates what no display of this cell has shown",
    ),
    "animation in JavaScript": (
        f"{PLOT}{SHOW}from matplotlib.animation import FuncAnimation\n"
        "HTML(FuncAnimation(plt.figure(), lambda i: (), frames=2).to_jshtml())",
        "let the animation itself be the value",
    ),
    "too long a value": ("'x' * 2_000_000", "shows more than 1,000,000 bytes"),
    "animation without words": (
        PLOT + "from matplotlib.animation import FuncAnimation\n"
        "FuncAnimation(plt.figure(), lambda i: (), frames=2)",
        "call fig.set_label('what the picture shows')",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_value_that_no_page_can_show_is_refused(case: str) -> None:
    code, words = REFUSED[case]
    assert words in message(code)


ANIMATION = (
    PLOT + "from matplotlib.animation import FuncAnimation\n"
    "fig, ax = plt.subplots(figsize=(1, 1))\nfig.set_label('it grows')\n"
    "def draw(i): return ax.plot([0, i])\n"
    "film = FuncAnimation(fig, draw, frames=3)\n"
)


@pytest.mark.parametrize("end", ["film", "plt.show()", "_ = 1"])
def test_animation_is_a_film_with_a_still(end: str) -> None:
    (picture,) = pictures(run(ANIMATION + end).outputs[0])
    assert picture.alt == "it grows"
    assert picture.film is not None
    assert picture.film.startswith(b"GIF89a")
    assert picture.light.startswith(b"<?xml")


def test_film_stands_on_paper() -> None:
    """Its ink is dark, and it has one look only."""
    (picture,) = pictures(run(ANIMATION).outputs[0])
    assert picture.film is not None
    film = Image.open(io.BytesIO(picture.film))
    assert film.n_frames == 3
    assert film.convert("RGBA").getpixel((0, 0)) == (255, 255, 255, 255)


def test_film_is_played_when_the_reader_asks(tmp_path: Path) -> None:
    (output,) = run(ANIMATION).outputs
    assert output is not None
    html = output_html(output, tmp_path, "_images")
    folded = html.partition('<details class="film">')[2]
    (film,) = re.findall(r'<img src="_images/(\w+\.gif)" alt="it grows">', folded)
    assert (tmp_path / film).read_bytes().startswith(b"GIF89a")


CLOUD = (
    PLOT + "import numpy\nx = numpy.random.rand(2, 6000)\n"
    "fig, ax = plt.subplots()\nfig.set_label('a cloud')\n"
    "ax.scatter(*x, color='black')\nax.set_title('many')\n_ = ax.plot([0, 1], 'k')\n"
)


def test_large_figure_is_drawn_as_pixels_with_a_word_to_the_author() -> None:
    result = run(CLOUD)
    assert result.failure is None
    (picture,) = pictures(result.outputs[0])
    assert len(picture.light) < LARGEST_SVG
    assert b"data:image/png;base64" in picture.light
    (note,) = result.notes
    assert re.match(r"gallery/1_toy/10_toy.py:\d+: cell 1 shows a picture of", note)


def test_pixels_of_a_large_figure_suit_the_dark() -> None:
    """Black data are as light as the axes there, and black again afterwards."""
    result = run(
        CLOUD, "from matplotlib.colors import to_hex\nto_hex(ax.lines[0].get_color())"
    )
    (picture,) = pictures(result.outputs[0])
    assert picture.dark is not None
    inside = [
        re.findall(rb"base64,([^\"]+)", svg) for svg in (picture.light, picture.dark)
    ]
    assert inside[0] != inside[1]
    assert DARK[INK].encode() in picture.dark
    assert LIGHT[INK].encode() in picture.light
    assert result.outputs[1] == Output((Shown("text", f"'{INK}'"),))


@pytest.mark.parametrize("code", [ANIMATION, CLOUD], ids=["film", "pixels"])
def test_pixels_are_the_same_each_time(code: str) -> None:
    assert run(code) == run(code)


def test_large_figure_has_a_small_picture_for_its_card() -> None:
    cloud = CLOUD.replace("6000", "1500")
    (picture,) = pictures(run(cloud).outputs[0])
    assert len(picture.light) > LARGEST_CARD
    assert picture.small is not None
    assert len(picture.small) < LARGEST_CARD


def test_large_picture_of_pixels_is_made_smaller() -> None:
    code = (
        "import numpy\nfrom PIL import Image\n"
        "noise = numpy.random.randint(0, 255, (1200, 1200, 3), 'uint8')\n"
        "image = Image.fromarray(noise)\nimage.info['Description'] = 'noise'\nimage"
    )
    result = run(code)
    (picture,) = pictures(result.outputs[0])
    assert picture.suffix == ".webp"
    assert "bytes: show a smaller one" in result.notes[0]
    assert picture.small is not None


def shown(kind: str, source: str, folder: Path) -> str:
    return output_html(Output((Shown(kind, source),)), folder, "_images")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "source", "parts"),
    [
        (
            "markdown",
            "# Head\n\nA **b**.",
            ["<p><strong>Head</strong></p>", "<strong>b"],
        ),
        ("markdown", "$x = 5$ and\n\n$$y$$", ["<math", 'class="math"']),
        ("markdown", "|a|\n|-|\n|1|", ["<table>", "<td>1</td>"]),
        ("html", "a</div></article><b>c", ["a<b>c</b></div>"]),
        ("markdown", "a <i>b", ["<p>a <i>b</i></p>"]),
        ("latex", r"$\displaystyle x = 5$", ['<div class="math">', "<math"]),
        ("latex", "Let $x<y$ & so", ["<div>Let ", "<math", " &amp; so</div>"]),
        ("latex", r"\begin{align*} a &= b \end{align*}", ["<math"]),
        ("latex", r"$\nosuch{x}$", [r"<code>\nosuch{x}</code>"]),
    ],
)
def test_formula_or_markdown_of_an_output_is_set(
    tmp_path: Path, kind: str, source: str, parts: list[str]
) -> None:
    html = shown(kind, source, tmp_path)
    assert [part for part in parts if part not in html] == []
    assert "checked" not in html
    assert "<h1" not in html


def test_size_from_which_data_are_pixels_is_the_one_that_authors_read() -> None:
    authors = Path(__file__).parents[1] / "docs/authors.md"
    assert f"more than {LARGEST_SVG:,} bytes" in authors.read_text(encoding="utf-8")


IN_MATH = "from IPython.display import HTML, Latex, Markdown, Math, display\ny = 8.0\n"
PUT_OUT = [  # what a cell shows as a formula, and whether that is true
    ("Math('2^3 = 9')", False),
    ("Math('2^3 = 8')", True),
    ("Math('2^3')", True),
    ("Math(f'y = {y:.0f}')", True),
    ("Math('y = 9')", False),
    (r"Math(r'y \to 9')", False),
    ("Math('q = 9')", False),
    ("Latex('So $y = 9$ holds.')", False),
    ("Latex('So $$y = 8$$ holds.')", True),
    (r"Latex(r'\begin{align*} y &= 9 \end{align*}')", False),
    (r"Latex(r'\begin{equation} y = 8 \end{equation}')", True),
    ("Markdown('So $y = 9$.')", False),
    ("Markdown('- So\\n\\n  $$y = 9$$')", False),
    ("Markdown('So $y = 8$ and `$y = 9$`.')", True),
    ("HTML('<math><mi>y</mi><mo>=</mo><mn>9</mn></math>')", False),
    ("HTML('<math><mi>y</mi><mo>&#61;</mo><mn>9</mn></math>')", False),
    ("HTML('<math><mi>y</mi></math>')", True),
    ("type('A', (), {'_repr_latex_': lambda self: '$y = 9$'})()", False),
]


@pytest.mark.parametrize(("value", "true"), PUT_OUT)
@pytest.mark.parametrize("markup", ["rst", "md"])
def test_formula_that_a_cell_puts_out_is_compared(value, true, markup):
    done = run(f"{IN_MATH}display({value})", markup=markup)
    if true:
        assert done.failure is None
    else:
        assert done.failure.message.startswith(f"{NAME}:")
        assert "puts" in done.failure.message
    assert done.statements == ()
