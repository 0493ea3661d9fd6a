"""The last look at a built site: what it must find, and what it must let pass."""

from pathlib import Path

import pytest

from coursebuild.publishing import site_checks
from coursebuild.publishing.site_checks import problems
from courserun.kept import Kept, Memory

PAGE = '<html><body id="a">{}</body></html>'


@pytest.fixture
def root(tmp_path):
    for folder in ("gallery/0_basics", "docs", "site/lessons/0_basics"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "gallery/0_basics/10_one.py").write_text("x = 1")
    (tmp_path / "docs/index.md").write_text("# One")
    (tmp_path / "site/index.html").write_text(PAGE.format("fine"))
    (tmp_path / "site/lessons/0_basics/10_one.html").write_text(PAGE.format("fine"))
    return tmp_path


def found(root: Path, body: str) -> list[str]:
    (root / "site/index.html").write_text(PAGE.format(body))
    return problems(root / "site", root, {})


def test_right_site_has_no_problem(root):
    assert problems(root / "site", root, {}) == []


def test_site_without_pages_is_a_problem(tmp_path):
    (tmp_path / "site").mkdir()
    assert problems(tmp_path / "site", tmp_path, {}) == ["site: holds no page"]


def test_stated_error_is_no_problem(root):
    traceback = '<span class="gt">Traceback (most recent call last):</span>'
    example = '<pre><span class="gp">&gt;&gt;&gt; </span>1/0\n{}\nError: a</pre>'
    assert found(root, example.format(traceback)) == []
    assert found(root, f"{example.format('')}<pre>{traceback}</pre>") != []


def test_stated_error_is_no_problem_in_the_ledger(root):
    error = "Traceback (most recent call last):\nError: a"
    cell = "<table><tr><td><code>{}{}</code></td></tr></table>"
    assert found(root, cell.format("&gt;&gt;&gt; 1/0\n", error)) == []
    assert found(root, cell.format("", error)) != []


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("Traceback (most recent call last): no", "a traceback"),
        ("&lt;Digraph object at 0x7f01&gt;", "an object's address"),
        ('<span class="problematic">x</span>', "a broken reference"),
        ('<div class="sphx-glr-script-out">12</div>', "our runner did not make"),
        ('<a href="gone.html">x</a>', "links to gone.html"),
        ('<a href="lessons/0_basics/10_one.html#b">x</a>', "no such place"),
        ('<a href="#b">x</a>', "no such place"),
        ('<a href="../secret.html">x</a>', "links to ../secret.html"),
        ('<img src="gone.png">', "links to gone.png"),
        ('<script src="https://example.org/a.js"></script>', "another host"),
        ('<link rel="stylesheet" href="//example.org/a.css">', "another host"),
        ('<img src="http://example.org/a.png">', "another host"),
    ],
)
def test_problem_is_named_with_its_page(root, body, reason):
    lines = found(root, body)
    assert len(lines) == 1
    leads = body.startswith(("<a", "<img", "<script", "<link"))
    assert lines[0].startswith("docs/index.md:1\n" if leads else "index.html: ")
    assert reason in lines[0]


@pytest.mark.parametrize(
    "body",
    [
        '<a href="lessons/0_basics/10_one.html#a">x</a>',
        '<a href="https://example.org">x</a>',
        '<a href="mailto:someone@example.org">x</a>',
        '<a href="./">x</a>',
        '<a href="#">x</a>',
        '<link rel="canonical" href="https://example.org/">',
        '<img src="data:image/png;base64,AAAA">',
    ],
)
def test_right_link_is_let_pass(root, body):
    assert found(root, body) == []


@pytest.mark.parametrize(
    "path",
    [
        "{root}/conf.py",
        "file://{root}/conf.py",
        "/home/me/.venv/lib/python3.11/site-packages/torch/autograd/graph.py",
        "/tmp/lesson-0_abcdef/work",
    ],
)
@pytest.mark.parametrize("name", ["index.html", "searchindex.js", "a.ipynb"])
def test_path_of_the_machine_is_a_problem(root, path, name):
    file = root / "site" / name
    file.write_text(PAGE.format(path.format(root=root)))
    (line,) = problems(root / "site", root, {})
    assert line.startswith(f"{name}: shows a path of this machine: ")


def test_path_with_a_space_is_found_in_an_address(root):
    moved = root.rename(root.with_name(f"{root.name} with space ü"))
    (line,) = found(moved, (moved / "conf.py").as_uri())
    assert "a path of this machine" in line


def test_page_cut_short_is_a_problem(root):
    (root / "site/index.html").write_text("<html><body>half")
    assert problems(root / "site", root, {}) == ["index.html: ends too early"]


def test_empty_file_is_a_problem(root):
    (root / "site/a.css").write_text("")
    assert problems(root / "site", root, {}) == ["a.css: is empty"]


def test_missing_lesson_is_a_problem(root):
    (root / "gallery/0_basics/20_two.py").write_text("x = 2")
    assert problems(root / "site", root, {}) == [
        "gallery/0_basics/20_two.py: its page is missing"
    ]


def test_missing_page_is_a_problem(root):
    (root / "docs/rules.md").write_text("# Rules")
    assert problems(root / "site", root, {}) == ["docs/rules.md: its page is missing"]


GRAPH, OTHER = '<svg class="ag-svg" width="1">', '<svg class="ag-svg" width="2">'
ICON = '<svg class="icon"></svg>'


@pytest.mark.parametrize(
    ("shown", "count"), [("", 0), (GRAPH, 1), (OTHER + ICON, 1), (GRAPH + GRAPH, 1)]
)
def test_lost_drawing_is_a_problem(root, shown, count):
    """The page of a theme is full of icons, each of them a drawing, too."""
    drawn = {"gallery/0_basics/10_one.py": [GRAPH, OTHER]}
    page = PAGE.format(ICON * 9 + shown)
    (root / "site/lessons/0_basics/10_one.html").write_text(page)
    assert problems(root / "site", root, drawn) == [
        f"gallery/0_basics/10_one.py: drew 2 graphs, its page shows {count}"
    ]


def test_drawings_that_are_shown_are_let_pass(root):
    drawn = {"gallery/0_basics/10_one.py": [GRAPH, GRAPH, OTHER]}
    page = PAGE.format(GRAPH + OTHER + ICON + GRAPH)
    (root / "site/lessons/0_basics/10_one.html").write_text(page)
    assert problems(root / "site", root, drawn) == []


def test_page_is_read_once_and_again_where_it_has_changed(root, monkeypatch):
    kept = Memory(Kept(root / "kept"), Path(site_checks.__file__))
    page = root / "site" / "index.html"
    assert problems(root / "site", root, {}, kept) == []
    before = site_checks.read_pages(page.parent, kept)
    read = []
    monkeypatch.setattr(site_checks, "_read", read.append)
    assert site_checks.read_pages(page.parent, kept) == before
    assert not read
    monkeypatch.undo()
    page.write_text(PAGE.format('<a href="no.html"></a>'))
    (line,) = problems(root / "site", root, {}, kept)
    assert "no.html" in line
