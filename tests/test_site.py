"""The built site: what a reader finds on it, with JavaScript off."""

import html
import json
import os
import re
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SITE = ROOT / "build" / "html"
LESSON = SITE / "lessons" / "0_basics" / "10_gradients_with_pytorch.html"
SCRIPTS = sorted(ROOT.glob("gallery/*/*.py"))


def words(page: Path) -> str:
    """Return a page's visible text; formulas in their LaTeX."""
    text = page.read_text(encoding="utf-8")
    text = re.sub(r'<span class="katex-html".*?(?=</span></span></span>)', "", text)
    text = re.sub(r"<(script|style|svg).*?</\1>", "", text, flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", " ", text))


def drawings(page: Path) -> list[str]:
    found = re.findall(r'<figure class="ag".*?</figure>', page.read_text(), re.DOTALL)
    return [html.unescape(re.sub(r"<[^>]+>", " ", figure)) for figure in found]


@pytest.fixture(scope="module")
def lesson():
    """Its text; torch pads numbers with spaces, and only some of them."""
    return re.sub(r"\s+", " ", words(LESSON)).replace("([ ", "([")


@pytest.mark.parametrize(
    "value",
    [
        "tensor([0., 1., 2., 3.])",  # x
        "torch.Size([4])",
        "tensor(28., grad_fn=<MulBackward0>)",
        r"\nabla_x y = 4x = (0, 4, 8, 12)",
        "tensor([0., 4., 8., 12.])",
        "tensor([1., 1., 1., 1.])",
        "(1, 5, 9, 13)",
        "tensor([1., 5., 9., 13.])",
        "tensor(6., grad_fn=<DotBackward0>)",
        "tensor(36., grad_fn=<DotBackward0>)",
        "(0, 3, 12, 27)",
        "tensor([0., 3., 12., 27.])",
    ],
)
def test_lesson_shows_the_value(lesson, value):
    assert value in lesson


def test_lesson_shows_that_grad_is_none_at_first(lesson):
    assert re.search(r"print \( x \. grad \) None", lesson)


def test_first_graph_of_the_seed_has_two_leaves_and_one_dot():
    graph = next(d for d in drawings(LESSON) if "2 leaves" in d)
    assert "dot(x, w)" in re.sub(r"\s+", " ", graph)


def test_second_graph_of_the_seed_has_one_leaf_and_two_paths():
    graph = next(d for d in drawings(LESSON) if "pow(x)" in d)
    assert "1 leaf (x)" in graph
    assert "dot(x, z)" in graph


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_lesson_offers_script_notebook_and_zip(script):
    page = SITE / "lessons" / script.relative_to(ROOT / "gallery").with_suffix(".html")
    found = re.findall(r'href="(\S+_downloads/\S+)"', page.read_text())
    assert sorted(Path(f).suffix for f in found) == [".ipynb", ".py", ".zip"]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_notebook_is_clean_markdown(script):
    (path,) = SITE.glob(f"_downloads/*/{script.stem}.ipynb")
    cells = json.loads(path.read_text())["cells"]
    text = "\n".join(c["source"] for c in cells if c["cell_type"] == "markdown")
    for trace in (":math:", ":law:", ":doc:", "\n.. ", "> > >", r"\>\>\>", "{."):
        assert trace not in text
    assert "**Predict**" in text
    assert "<details><summary>Answer</summary>" in text


def test_site_carries_the_wheel_of_torchutils_alone():
    (wheel,) = SITE.glob("wheel/*.whl")
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0].split("-")[0] for name in archive.namelist()}
    assert tops == {"torchutils", "gradients_torchutils"}


def test_formulas_are_there_without_javascript():
    text = LESSON.read_text()
    assert text.count('<math xmlns="http://www.w3.org/1998/Math/MathML"') > 30
    assert "mathjax" not in text.lower()


def test_landing_page_leads_to_the_first_lesson():
    text = (SITE / "index.html").read_text()
    assert 'href="lessons/0_basics/10_gradients_with_pytorch.html"' in text


def test_landing_page_shows_the_gradient_in_its_graph():
    (graph,) = drawings(SITE / "index.html")
    assert "[-0.1966, -0.3932]" in graph


def test_levels_stand_in_order():
    text = words(SITE / "lessons" / "index.html")
    levels = [p.name.split("_", 1)[1] for p in sorted(ROOT.glob("gallery/[0-9]*"))]
    places = [text.lower().index(level) for level in levels]
    assert places == sorted(places)


def test_each_level_ends_with_its_quiz_and_goes_on_to_the_next_level():
    """Pages, buttons below them and books follow these links, there and back."""
    turns = {
        path.relative_to(SITE).as_posix(): dict(
            re.findall(r'<link rel="(prev|next)"[^>]* href="([^"]+)"', path.read_text())
        )
        for path in [*SITE.glob("*.html"), *SITE.glob("lessons/*/*.html")]
    }
    order, page = ["index.html"], "index.html"
    while step := turns[page].get("next"):
        page = os.path.normpath(Path(page).parent / step)
        back = turns[page]["prev"]
        assert os.path.normpath(Path(page).parent / back) == order[-1]
        order.append(page)
    assert len(order) == len(set(order))
    quizzes = [page for page in order if page.startswith("quiz_")]
    assert len(quizzes) == len([*SITE.glob("quiz_*.html")]) == 5
    for quiz in quizzes:
        before, after = (order[order.index(quiz) + way] for way in (-1, 1))
        level = quiz.removeprefix("quiz_").removesuffix(".html")
        assert before.split("/")[1].endswith(f"_{level}")
        assert level not in after
        assert after.startswith("lessons/") == (quiz != quizzes[-1])


def test_nothing_generated_lies_among_the_sources():
    assert not (ROOT / "docs" / "lessons").exists()


def test_no_page_holds_a_yellow_button_or_the_note_about_the_end():
    for page in SITE.rglob("*.html"):
        text = page.read_text()
        assert "Go to the end" not in text
        assert "sphx-glr-download" not in text


def test_no_page_holds_an_empty_box_of_code():
    """A cell that holds settings alone, such as a thumbnail's number, shows nothing."""
    pages = sorted(SITE.glob("lessons/*/*.html"))
    assert pages
    boxes = {
        p.stem: re.findall(r"<pre>(.*?)</pre>", p.read_text(), re.DOTALL) for p in pages
    }
    empty = {
        k: [b for b in v if not re.sub(r"<[^>]+>", "", b).strip()]
        for k, v in boxes.items()
    }
    assert {name for name, found in empty.items() if found} == set()
