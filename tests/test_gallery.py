"""The hooks into sphinx-gallery and myst-nb: known versions, and still called."""

import pickle
import subprocess
import sys
from inspect import iscode
from pathlib import Path

import myst_nb
import pytest
import sphinx_gallery
from sphinx_gallery import backreferences, gen_gallery, gen_rst

from coursebuild.lessons import gallery, pages
from coursebuild.lessons.outputs import output_html
from courserun.kept import Files, Kept
from courserun.lesson import Output, Picture, Shown
from torchutils import layout

ROOT = Path(__file__).parents[1]


def test_sphinx_gallery_is_the_version_that_we_know():
    assert sphinx_gallery.__version__ == gallery.KNOWN_VERSION


def test_myst_nb_is_the_version_that_we_know():
    assert myst_nb.__version__ == pages.KNOWN_VERSION


@pytest.mark.parametrize("module", [gallery, pages])
def test_unknown_version_is_refused(monkeypatch, module, tmp_path):
    monkeypatch.setattr(module, "KNOWN_VERSION", "0.0")
    arguments = [tmp_path, tmp_path, {}, []] if module is gallery else [tmp_path] * 3
    with pytest.raises(RuntimeError, match="run `make html`"):
        module.install(*arguments)


@pytest.mark.parametrize("name", ["execute_script", "zip_files", "jupyter_notebook"])
def test_replaced_function_is_still_called_by_that_name(name):
    assert name in gallery._generate.__code__.co_names


@pytest.mark.parametrize("name", ["generate_file_rst", "_split_parallel"])
def test_what_makes_a_lesson_is_still_called_by_that_name(name):
    inner = [c for c in gen_rst.generate_dir_rst.__code__.co_consts if iscode(c)]
    codes = gen_rst.generate_dir_rst.__code__, *inner
    assert any(name in code.co_names for code in codes)


@pytest.mark.parametrize("warns", [False, True])
def test_files_of_a_lesson_are_kept_unless_it_warns(tmp_path, warns):
    files = Files(tmp_path / "files")
    shelf = gallery.Shelf(Kept(tmp_path / "kept"), files, "key", lambda: len(said))
    folder, said = tmp_path / "level", []
    folder.mkdir()
    (folder / "other.rst").write_text("of another lesson")

    def make():
        said.extend(["a warning"] * warns)
        (folder / "images").mkdir()
        (folder / "images/1.png").write_bytes(b"\x00\xff")
        return "intro", "title", (0.0, 0.0), {"backrefs": set()}

    result = gallery._kept(make, folder, shelf, "lesson")
    data = shelf.kept.read("lesson")
    assert (data is None) == warns
    for name, digest in pickle.loads(data)[1].items() if data else ():
        assert name == "images/1.png"
        files.give(digest, tmp_path / "given")
    assert (tmp_path / "given").exists() != warns
    assert warns or (tmp_path / "given").read_bytes() == b"\x00\xff"
    assert warns or pickle.loads(data)[0] == result


def test_replaced_template_is_still_used():
    assert "THUMBNAIL_TEMPLATE" in backreferences._thumbnail_div.__code__.co_names


def test_matplotlib_is_still_loaded_by_the_name_that_is_replaced():
    assert (
        "_import_matplotlib"
        in gen_gallery._fill_gallery_conf_defaults.__code__.co_names
    )


def test_clients_left_out_are_those_that_myst_nb_executes_with():
    from myst_nb.core import execute

    names = {f"NotebookClient{name}" for name in pages.CLIENTS.values()}
    found = {name for name in vars(execute) if name.startswith("NotebookClient")}
    assert found == names | {"NotebookClientBase"}


def test_line_of_a_drawing_is_as_high_as_torchutils_draws_it():
    assert gallery.STEP == layout.STEP


def output(*parts):
    return Output(parts)


@pytest.mark.parametrize(
    ("shown", "html"),
    [
        (Output(), ""),
        (output(Shown("text", "a < b\n")), "<pre>a &lt; b</pre>"),
        (output(Shown("html", "<svg></svg>")), "<svg></svg>"),
        (
            output(Shown("text", "a\n"), Shown("text", "1")),
            "<pre>a</pre><pre>1</pre>",
        ),
        (output(Shown("text", "a  b")), "<pre>a  b</pre>"),
        (output(Shown("text", "a b\nc d")), "<pre>a b\nc d</pre>"),
        (output(Shown("text", "a  b\nc  d")), '<pre class="columns">a  b\nc  d</pre>'),
        (
            output(Shown("text", "[[1],\n [2]]")),
            '<pre class="columns">[[1],\n [2]]</pre>',
        ),
    ],
)
def test_output_shows_what_the_cell_put_out(tmp_path, shown, html):
    page = output_html(shown, tmp_path, "_images")
    assert page == (f'<div class="cell-output">{html}</div>' if html else "")


def test_picture_is_written_once_and_named_by_its_content(tmp_path):
    picture = Picture(b"<svg/>", None, ".svg", 'the "slope"')
    first = output_html(output(picture, picture), tmp_path, "../_images")
    (file,) = tmp_path.iterdir()
    assert first.count(f'src="../_images/{file.name}" alt="the &quot;slope&quot;"') == 2


def test_picture_has_a_version_for_the_dark(tmp_path):
    picture = Picture(b"light", b"dark", ".svg", "a line")
    shown = output_html(output(picture), tmp_path, "_images")
    assert 'class="only-light"' in shown
    assert 'class="only-dark"' in shown
    assert len(list(tmp_path.iterdir())) == 2


GRAPH = "<svg>graph</svg>"
LARGE = "<svg>" + "a" * gallery.LARGEST_CARD + "</svg>"
SHOWN = (
    None,
    output(Shown("text", GRAPH), Shown("html", f"<div>{GRAPH}</div>")),
    output(Picture(b"curve", b"dark", ".svg", "a curve")),
    output(Picture(b"large", None, ".webp", "a photo", small=b"small")),
    output(Shown("html", LARGE)),
)
CARDS = {
    None: (".svg", GRAPH.encode()),
    1: (".svg", GRAPH.encode()),
    2: (".svg", b"curve"),
    3: (".png", b"small"),
    -2: (".png", b"small"),
    -4: (".svg", GRAPH.encode()),
}


@pytest.mark.parametrize("number", CARDS)
def test_card_is_the_picture_of_that_number(number):
    assert gallery.card(SHOWN, number) == CARDS[number]


@pytest.mark.parametrize(("width", "left"), [(300, True), (700, False)])
def test_card_shows_no_legend_of_which_a_part_is_cut(width, left):
    rows = '<text x="25" y="90">a</text><text x="0" y="108">b</text>'
    legend = f'<g class="ag-legend">{rows}</g>'
    size = f'width="{width}" height="140" viewBox="0 0 {width} 140"'
    found = gallery.excerpt(f"<svg {size}>{legend}</svg>")
    assert (legend in found) == left
    assert f'height="{140 if left else 86}"' in found


def test_card_passes_over_what_is_too_large():
    assert gallery.card((SHOWN[4], SHOWN[2])) == (".svg", b"curve")
    assert gallery.card((SHOWN[4],)) is None


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "shows 4 pictures: 1 is the first, -1 the last"),
        (5, "thumbnail_number = 5, but the lesson shows 4"),
        (-5, "thumbnail_number = -5, but"),
        ("two", "thumbnail_number = 'two', but"),
        (4, "is a drawing of 100,011 bytes: name one below"),
    ],
)
def test_card_that_cannot_be_is_refused(number, words):
    with pytest.raises(ValueError, match=words):
        gallery.card(SHOWN, number)


def test_stock_execution_is_never_used(tmp_path):
    """A lesson that no run is known for stops the build instead of running here."""
    code = (
        "from pathlib import Path; import sys\n"
        "from coursebuild.lessons import gallery; from sphinx_gallery import gen_rst\n"
        "root = Path(sys.argv[1]); gallery.install(root, root, {}, [])\n"
        "script = {'src_file': str(root / 'gallery/0_a/1_b.py')}\n"
        "try: gen_rst.execute_script([], script, {}, {})\n"
        "except KeyError as error: print(error)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(
        command,
        env={"PYTHONPATH": str(ROOT / "utils")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "'gallery/0_a/1_b.py'\n"
