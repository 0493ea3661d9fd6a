"""Repairs of the pages that others wrote, and what a page may load."""

import base64
import hashlib
import re
from pathlib import Path

import pytest

from coursebuild.publishing import html_repairs
from coursebuild.publishing.html_repairs import REPAIRS, policy, tidy
from courserun.kept import Kept

SITE = Path(__file__).parents[1] / "build" / "html"
PAGES = sorted(SITE.rglob("*.html"))


def test_there_are_pages_to_look_at():
    assert len(PAGES) > 5


def test_repair_that_nothing_needs_is_reported(tmp_path):
    (tmp_path / "_static").mkdir()
    (tmp_path / "index.html").write_text("<html></html>")
    assert len(tidy(tmp_path, Kept(tmp_path / "kept"))) == len(REPAIRS)


def test_page_is_repaired_once_and_says_later_what_it_needed(tmp_path, monkeypatch):
    (tmp_path / "_static").mkdir()
    page, kept = tmp_path / "index.html", Kept(tmp_path / "kept")
    page.write_text(before := "<body><img src='x' /></body>")
    first = tidy(tmp_path, kept), page.read_text()
    assert first[1] != before
    page.write_text(before)
    monkeypatch.setattr(html_repairs, "_repaired", lambda _: pytest.fail("again"))
    assert (tidy(tmp_path, kept), page.read_text()) == first


@pytest.mark.parametrize(
    "text",
    [
        '<code class="docutils literal notranslate">x</code>.',
        '<a href="y"><code class="xref literal">x <b>y</b></code></a>),',
        '<code class="literal">x</code>”.',
    ],
)
def test_comma_stays_with_its_code(tmp_path, text):
    (tmp_path / "_static").mkdir()
    page = tmp_path / "index.html"
    page.write_text(f"<p>{text} z</p>")
    tidy(tmp_path, Kept(tmp_path / "kept"))
    assert page.read_text() == f'<p><span class="kept">{text}</span> z</p>'


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
def test_name_in_a_cell_may_go_on_in_the_next_line(tmp_path, code, parted):
    (tmp_path / "_static").mkdir()
    page, whole = tmp_path / "index.html", '<code class="literal">{}</code>'
    page.write_text(f"<p>{whole}</p><td>{whole}</td>".replace("{}", code))
    tidy(tmp_path, Kept(tmp_path / "kept"))
    cell = whole.format(parted.replace("|", "<wbr>"))
    assert page.read_text() == f"<p>{whole.format(code)}</p><td>{cell}</td>"


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
