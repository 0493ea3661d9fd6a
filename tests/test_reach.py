"""What a site says of its address, its sources, its notebooks and its date."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image
from test_dated import git
from toy import BETA, ROOT, Site

from coursebuild.commands.notebook_branch import write_branch
from coursebuild.sources.docnames import page_of, source_of

SITE, REPOSITORY = "https://ada.org/course/", "https://github.com/ada/engine"
URLS = f'\n[project.urls]\nHomepage = "{SITE}"\nRepository = "{REPOSITORY}"\n'
BOOK = "0_toy/10_alpha.ipynb"
COLAB = f"https://colab.research.google.com/github/ada/engine/blob/notebooks/{BOOK}"
BINDER = (
    "https://mybinder.org/v2/gh/ada/engine/notebooks?labpath=0_toy%2F10_alpha.ipynb"
)
WHEEL = "gradients_torchutils-1.0.0-py3-none-any.whl"
CONFIGURED = ('rel="canonical"', "og:url", "og:image", 'rel="edit"', "colab", "binder")
NAMES = ("index", "page", "lessons/0_toy/10_alpha", "lessons/0_toy/index")


def pages(site: Site) -> dict[str, str]:
    """Return the text of every page, by its name."""
    found = sorted(site.html.rglob("*.html"))
    return {
        path.relative_to(site.html).with_suffix("").as_posix(): path.read_text("utf-8")
        for path in found
    }


@pytest.fixture(scope="module")
def reached(
    reference: Site, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """Return a site whose addresses are configured, built from a commit."""
    site = reference.copy(tmp_path_factory.mktemp("reached") / "site")
    site.write("pyproject.toml", site.read("pyproject.toml") + URLS)
    site.write("docs/redirects.txt", "lessons/old/alpha lessons/0_toy/10_alpha\n")
    site.write(".gitignore", "/build/\n__pycache__/\n")
    git(site.root, "init", "--quiet")
    git(site.root, "add", ".")
    git(site.root, "commit", "--message=one", day="2024-02-29")
    done = site.build()
    assert done.code == 0, done
    assert done.executed == set()  # an address changes no output
    yield site
    shutil.rmtree(site.root)


def test_site_without_address_shows_nothing_that_needs_one(reference: Site) -> None:
    for name, text in pages(reference).items():
        assert [mark for mark in CONFIGURED if mark in text] == [], name
    for name in ("sitemap.xml", "robots.txt", "_cards"):
        assert not (reference.html / name).exists()


def test_configured_site_is_the_same_anywhere(reached: Site, tmp_path: Path) -> None:
    copy = reached.copy(tmp_path / "with space")
    shutil.rmtree(copy.html.parent)
    assert copy.build(env={"TZ": "Asia/Tokyo", "PYTHONHASHSEED": "5"}).code == 0
    assert copy.sums() == reached.sums()
    assert reached.build().out.startswith("Nothing to do")


def test_github_alone_configures_a_site(site: Site) -> None:
    done = site.build(env={"GITHUB_REPOSITORY": "ada/engine"})
    assert (done.code, done.executed) == (0, set())
    address = "https://ada.github.io/engine/page.html"
    assert f'rel="canonical" href="{address}"' in pages(site)["page"]


def test_wrong_address_stops_the_build(site: Site) -> None:
    before = site.sums()
    urls = URLS.replace("https://ada.org", "ada.org")
    site.write("pyproject.toml", site.read("pyproject.toml") + urls)
    done = site.build()
    assert done.code == 1
    assert "Homepage 'ada.org/course/' ([project.urls] of pyproject.toml)" in done.error
    assert site.sums() == before


@pytest.mark.parametrize("name", NAMES)
def test_page_names_its_address(reached: Site, name: str) -> None:
    text = pages(reached)[name]
    assert text.count(f'<link rel="canonical" href="{SITE}{name}.html">') == 1


@pytest.mark.parametrize("name", NAMES[1:])  # the front page has no paragraph
def test_described_page_has_a_card(reached: Site, name: str) -> None:
    text = pages(reached)[name]
    assert text.count(f'<meta property="og:url" content="{SITE}{name}.html">') == 1

    (url,) = re.findall(r'"og:image" content="([^"]+)"', text)
    assert url.startswith(SITE)
    with Image.open(reached.html / url.removeprefix(SITE)) as card:
        assert card.size == (1200, 630)


def test_sitemap_names_every_page_that_has_a_source(reached: Site) -> None:
    tree = ElementTree.parse(reached.html / "sitemap.xml")
    found = [element.text for element in tree.iter() if element.tag.endswith("}loc")]
    named = {*NAMES, "lessons/index", "lessons/0_toy/20_beta"}
    assert found == sorted(f"{SITE}{name}.html" for name in named)


def test_robots_file_is_written_where_robots_look(reached: Site, site: Site) -> None:
    assert not (reached.html / "robots.txt").exists()  # in a folder nobody reads it
    env = {"GITHUB_REPOSITORY": "ada/ada.github.io"}
    assert site.build(env=env).code == 0
    text = (site.html / "robots.txt").read_text()
    assert text == "Sitemap: https://ada.github.io/sitemap.xml\n"


def test_every_page_links_to_its_source(reached: Site) -> None:
    links = {
        name: re.findall(r'href="([^"]+)" rel="edit"', text)
        for name, text in pages(reached).items()
    }
    edited = {name for name, found in links.items() if found}
    assert edited == {*NAMES, "lessons/index", "lessons/0_toy/20_beta"}
    for (link,) in filter(None, links.values()):
        source = link.removeprefix(f"{REPOSITORY}/edit/main/")
        assert (reached.root / source).is_file(), link


def test_every_page_of_this_site_has_the_source_that_it_would_link_to() -> None:
    html = ROOT / "build" / "html"
    sources = [*ROOT.glob("docs/*.md"), *ROOT.glob("gallery/*/*.py")]
    names = [page_of(path.relative_to(ROOT).as_posix()) for path in sources]
    names += [path.relative_to(html).as_posix() for path in html.rglob("*/index.html")]
    assert len(names) > 15
    for name in names:
        assert (ROOT / source_of(name.removesuffix(".html"), ROOT)).is_file(), name


def test_lesson_opens_in_colab_and_binder(reached: Site) -> None:
    found = pages(reached)
    assert f'href="{COLAB}">Colab</a>' in found["lessons/0_toy/10_alpha"]
    assert f'href="{BINDER}">Binder</a>' in found["lessons/0_toy/10_alpha"]
    assert "colab" not in found["page"]


def test_lesson_is_installed_in_one_line(reached: Site, reference: Site) -> None:
    line = r"<pre><span></span>(pip install .*)\n</pre>"
    (near,) = re.findall(line, pages(reference)["lessons/0_toy/10_alpha"])
    assert near.endswith(f" {WHEEL}")
    (far,) = re.findall(line, pages(reached)["lessons/0_toy/10_alpha"])
    assert far.endswith(f" {SITE}wheel/{WHEEL}")
    assert (reached.html / "wheel" / WHEEL).is_file()


def test_lesson_says_where_and_when_its_outputs_come_from(
    reached: Site, reference: Site
) -> None:
    say = (
        r"Its outputs come from Python 3\.\S+, torch [\d.]+ and torchutils 1\.0\.0{}\."
    )
    dated = say.format(", as of 29 February 2024")
    for name in ("lessons/0_toy/10_alpha", "lessons/0_toy/20_beta"):
        assert re.search(dated, pages(reached)[name])
        assert re.search(say.format(""), pages(reference)[name])


def test_date_is_source_date_epoch_where_it_is_set(site: Site) -> None:
    assert site.build(env={"SOURCE_DATE_EPOCH": "1700000000"}).code == 0
    assert ", as of 14 November 2023." in pages(site)["lessons/0_toy/10_alpha"]


def test_search_does_not_find_what_every_lesson_says(reached: Site) -> None:
    files = (reached.html / "_static").glob("sections/*.js")
    texts = "".join(file.read_text() for file in files)
    assert "Alpha" in texts
    assert "February" not in texts


def test_redirect_is_a_page_that_says_where_the_other_is(reached: Site) -> None:
    text = pages(reached)["lessons/old/alpha"]
    target = "../0_toy/10_alpha.html"
    assert f'<meta http-equiv="refresh" content="0; url={target}">' in text
    assert f'<link rel="canonical" href="{SITE}lessons/0_toy/10_alpha.html">' in text
    assert f'<a href="{target}">Alpha</a>' in text
    assert "Content-Security-Policy" in text
    assert "<script" not in text


def test_redirect_to_nowhere_stops_the_build(site: Site) -> None:
    site.write("docs/redirects.txt", "# moved\nold gone\n")
    done = site.build()
    assert done.code == 1
    assert "docs/redirects.txt:2: gone is no page of the site" in done.error


def test_branch_holds_notebooks_that_install_what_they_need(
    reached: Site, tmp_path: Path
) -> None:
    copy = reached.copy(tmp_path / "site")
    (copy.root / BETA).unlink()  # its helper is in no registry
    copy.write("gallery/0_toy/data/a.csv", "28")
    folder = write_branch(copy.root, REPOSITORY)
    assert (folder / "0_toy/data/a.csv").read_text() == "28"
    books = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*.ipynb"))
    assert books == [BOOK]
    first, *rest = json.loads((folder / BOOK).read_text("utf-8"))["cells"]
    url = f"https://raw.githubusercontent.com/ada/engine/notebooks/{WHEEL}"
    data = url.replace(WHEEL, "0_toy/data/a.csv")
    assert first["source"].splitlines() == [
        f"%pip install --quiet {url}",
        f"!curl --silent --create-dirs -o 'data/a.csv' '{data}'",
    ]
    (published,) = copy.html.glob("_downloads/*/10_alpha.ipynb")
    assert rest == json.loads(published.read_text("utf-8"))["cells"]
    wanted = (folder / "requirements.txt").read_text().splitlines()
    assert wanted[-1] == f"./{WHEEL}"
    assert (folder / WHEEL).is_file()


def test_branch_needs_an_address_and_a_site(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"name it in \[project.urls\]"):
        write_branch(tmp_path, "")
    with pytest.raises(ValueError, match="run `make html`"):
        write_branch(tmp_path, REPOSITORY)


def test_notebooks_have_names_of_their_own() -> None:
    names = [path.stem for path in ROOT.glob("gallery/*/*.py")]
    assert len(names) == len(set(names)) > 5


def test_workflow_pins_what_it_uses_and_pushes_the_branch() -> None:
    text = (ROOT / ".github/workflows/pages.yml").read_text()
    used = re.findall(r"uses: (\S+)", text)
    assert used
    assert [use for use in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", use)] == []
    assert text.count("contents: write") == 1
    assert "fetch-depth: 0" in text
    assert "make notebooks" in text
