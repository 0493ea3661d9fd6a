"""Repairs of the pages that others wrote, and what a page may load."""

import base64
import hashlib
import re
import shutil
from datetime import date
from pathlib import Path

import pytest

from coursebuild.publishing.finish import finish
from coursebuild.publishing.html_repairs import REPAIRS, needless, policy, repaired
from coursebuild.publishing.source_date import AS_OF
from courserun.kept import Files, Kept, Memory

SITE = Path(__file__).parents[1] / "build" / "html"
PAGES = sorted(SITE.rglob("*.html"))


def test_there_are_pages_to_look_at():
    assert len(PAGES) > 5


def test_repair_that_nothing_needs_is_reported():
    assert len(needless([])) == len(REPAIRS)
    assert not needless({fault for _, fault, _ in REPAIRS})


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Return a site of one page, which has a style sheet and a fault."""
    folder = tmp_path / "site"
    (folder / "_static").mkdir(parents=True)
    (folder / "_static/a.css").write_text("a {color: red}")
    link = '<link rel="stylesheet" type="text/css" href="_static/a.css" />'
    (folder / "index.html").write_text(f"{link}<p>It was{AS_OF}.<img src='x' />")
    return folder


def finished(site: Path, day: date | None = None, key: str = "") -> tuple[str, str]:
    """Finish a site that has been finished before, perhaps; return page and sheet."""
    files, kept = Files(site.parent / "files"), Kept(site.parent / "kept")
    known = Memory(kept, Path(finish.__code__.co_filename))
    wrong = finish(site, day, files, known, key)
    assert len(wrong) == len(REPAIRS) - 1
    known.keep()
    files.sweep()
    (sheet,) = site.glob("_static/style-*.css")
    return (site / "index.html").read_text(), sheet.read_text()


def test_page_is_finished_once_and_says_later_what_it_needed(site, monkeypatch):
    before = site.parent / "before"
    shutil.copytree(site, before)
    first = finished(site, date(2026, 3, 1))
    assert "It was, as of 1 March 2026.<img src='x'>" in first[0]
    assert "red" in first[1]
    shutil.rmtree(site)
    shutil.copytree(before, site)
    monkeypatch.setattr("coursebuild.publishing.finish.repaired", None)  # nobody asks
    assert finished(site, date(2026, 3, 1)) == first


@pytest.mark.parametrize("change", ["day", "key", "damage"])
def test_page_is_finished_again_where_it_may_be_another(site, change):
    before = site.parent / "before"
    shutil.copytree(site, before)
    first = finished(site)
    for path in site.parent.glob("files/*") if change == "damage" else ():
        path.write_bytes(b"damaged")
    shutil.rmtree(site)
    shutil.copytree(before, site)
    if change == "key":  # that of style sheets, too
        (site / "_static/a.css").write_text("a {color: blue}")
    day = date(2026, 3, 1) if change == "day" else None
    page, sheet = finished(site, day, change if change == "key" else "")
    assert (page == first[0]) == (change == "damage")
    assert ("blue" in sheet) == (change == "key")
    assert ("March" in page) == (change == "day")


@pytest.mark.parametrize(
    "text",
    [
        '<code class="docutils literal notranslate">x</code>.',
        '<a href="y"><code class="xref literal">x <b>y</b></code></a>),',
        '<code class="literal">x</code>”.',
    ],
)
def test_comma_stays_with_its_code(text):
    page = f'<p><span class="kept">{text}</span> z</p>'
    assert repaired(f"<p>{text} z</p>") == ([], page)


@pytest.mark.parametrize(
    ("code", "parted"),
    [
        ("torch.autograd.grad", "torch.|autograd.|grad"),
        ("make_dot(y)", "make_|dot(|y)"),
        ("0.5", "0.5"),
        (".grad", ".grad"),
        ('<span class="a.b_c">dim=1</span>', '<span class="a.b_c">dim=|1</span>'),
    ],
)
def test_name_in_a_cell_may_go_on_in_the_next_line(code, parted):
    whole = '<code class="literal">{}</code>'
    page = f"<p>{whole}</p><td>{whole}</td>".replace("{}", code)
    cell = whole.format(parted.replace("|", "<wbr>"))
    assert repaired(page) == ([], f"<p>{whole.format(code)}</p><td>{cell}</td>")


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_page_says_what_it_may_load(page):
    text = page.read_text()
    (content,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
    scripts = content.partition("script-src")[2].partition(";")[0]
    assert "unsafe" not in scripts
    assert "'self'" in scripts
    assert "//" not in content


def test_way_back_comes_before_the_way_on():
    ways = [re.findall('class="(prev|next)-page"', p.read_text()) for p in PAGES]
    both = [way for way in ways if len(way) == 2]
    assert len(both) > 20
    assert all(way == ["prev", "next"] for way in both)


def test_policy_names_inline_scripts_by_their_hash():
    script = "\n  run()\n"
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in policy(f"<script>{script}</script>")


def test_policy_lets_an_output_play_what_it_holds():
    assert "media-src 'self' data:" in policy("<audio src='data:audio/wav;base64,'>")


def test_policy_needs_no_hash_for_data():
    page = '<script type="application/json">{}</script><script src="a.js"></script>'
    assert "sha256" not in policy(page)
