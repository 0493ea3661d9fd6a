"""All style sheets of a page come as one, with the fonts of formulas inside."""

import re
from pathlib import Path

import pytest

from coursebuild.publishing.stylesheets import DECODE, FONTS, Sheets

HEAD = '<link rel="stylesheet" type="text/css" href="{}" />\n'


def join(site: Path) -> None:
    """Let each page of a site load one style sheet."""
    sheets = Sheets(site)
    for page in sorted(site.rglob("*.html")):
        page.write_text(sheets.join(page, page.read_text())[0])


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Return a site with two pages that load the same two style sheets."""
    fonts = tmp_path / "_static/katex/fonts"
    fonts.mkdir(parents=True)
    for name, _, _ in FONTS:
        (fonts / f"{name}.woff2").write_bytes(b"font")
    faces = [f"@font-face{{src:url(fonts/{name}.woff2)}}" for name, _, _ in FONTS]
    faces.append("@font-face{src:url(fonts/Rare.woff2)}")
    (tmp_path / "_static/katex/k.css").write_text("".join(faces))
    (tmp_path / "_static/a.css").write_text(
        '@charset "utf-8";a {b: url("x.png")} c {d: url(\'data:e,url("f")\')}'
    )
    for page, top in (("a.html", ""), ("b/c.html", "../")):
        links = ("_static/katex/k.css?v=12", "_static/a.css?v=34")
        heads = "".join(HEAD.format(top + link) for link in links)
        (tmp_path / page).parent.mkdir(exist_ok=True)
        text = '<i class="katex">x</i>' if page == "a.html" else "x"
        (tmp_path / page).write_text(f"<head>{heads}<title>A</title></head>{text}")
    (tmp_path / "alone.html").write_text("<p>No style</p>")
    join(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("page", "address"),
    [("a.html", "_static/formulas-"), ("b/c.html", "../_static/style-")],
)
def test_each_page_loads_one_style_sheet_by_its_own_way(site, page, address):
    text = (site / page).read_text()
    assert text.count("<link") == 1
    link = re.search('href="(.*?)"', text)[1]
    assert link.startswith(address)
    assert ((site / page).parent / link).is_file()


def test_sheet_that_a_page_brings_in_its_body_is_joined_too(tmp_path):
    """Loaded later it would move what has been seen."""
    (tmp_path / "_static").mkdir()
    for name in "own", "a":
        (tmp_path / f"_static/{name}.css").write_text(f".{name} {{color: red}}")
    heads = [HEAD.format(f"_static/{name}.css") for name in ("a", "own")]
    page = tmp_path / "page.html"
    page.write_text(f"<head>{heads[0]}</head><p>x</p>{heads[1]}")
    join(tmp_path)
    (sheet,) = re.findall(r'<link[^>]*href="([^"]*)', page.read_text())
    assert ".own" in (tmp_path / sheet).read_text()


def test_page_without_style_sheets_stays_as_it_is(site):
    assert (site / "alone.html").read_text() == "<p>No style</p>"


def test_page_with_formulas_decodes_their_fonts_before_its_text(site):
    (fonts,) = site.glob("_static/formulas-*.css")
    text = fonts.read_text()
    assert text.count("url(data:font/woff2;base64,Zm9udA==)") == 2
    assert text.count("@font-face") == 3  # Rare, too: none is there twice
    page = (site / "a.html").read_text()
    places = [page.index(part) for part in (fonts.name, DECODE, "<title>")]
    assert places == sorted(places)
    assert DECODE not in (site / "b/c.html").read_text()


def test_sheet_keeps_order_and_finds_its_files(site):
    (sheet,) = site.glob("_static/style-*.css")
    text = sheet.read_text()
    assert "url(katex/fonts/Rare.woff2)" in text
    assert text.index("Rare") < text.index("url(x.png)")
    assert """url('data:e,url("f")')""" in text
    assert "@charset" not in text


def test_sheet_that_imports_another_is_refused(tmp_path):
    (tmp_path / "_static").mkdir()
    (tmp_path / "_static/a.css").write_text('@import "b.css";')
    (tmp_path / "a.html").write_text(HEAD.format("_static/a.css"))
    with pytest.raises(ValueError, match=r"a\.css: @import"):
        join(tmp_path)
