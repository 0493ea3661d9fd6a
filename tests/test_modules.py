"""The Architecture page: it knows each module, and names none that is gone."""

import re
from pathlib import Path

import pytest

from coursebuild.extension.modules import summaries

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
PACKAGES = sorted(path.parent.name for path in ROOT.glob("utils/*/__init__.py"))
PATH = re.compile(r"`((?:\w+/)+\w+\.\w+)`")


def test_each_package_is_listed():
    assert sorted(re.findall(r"\{modules\} (\w+)", PAGE)) == PACKAGES


@pytest.mark.parametrize("name", sorted(set(PATH.findall(PAGE))))
def test_file_that_the_page_names_exists(name):
    assert (ROOT / "utils" / name).is_file() or (ROOT / name).is_file()


def test_name_that_the_page_gives_is_defined_there():
    named = re.findall(r"`([\w/]+\.\w+)` \(`(\w+)`\)", PAGE)
    assert named
    for path, name in named:
        file = next(it for it in (ROOT / "utils" / path, ROOT / path) if it.is_file())
        defined = rf"^ *(?:(?:def|class|const) {name}\b|{name}(?:: .+)? = )"
        assert re.search(defined, file.read_text("utf-8"), re.MULTILINE), (path, name)


@pytest.mark.parametrize("package", PACKAGES)
def test_page_of_the_site_lists_each_module(package):
    page = (ROOT / "build/html/architecture.html").read_text(encoding="utf-8")
    listed = summaries(ROOT / "utils" / package)
    assert len(listed) == len([*(ROOT / "utils" / package).rglob("*.py")])
    assert [name for name, _ in listed if f">{name}<" not in page] == []


def test_summary_is_the_first_sentence(tmp_path):
    folder = tmp_path / "pkg"
    folder.mkdir()
    (folder / "one.py").write_text('"""Say one\nthing.\n\nMore."""\n')
    assert summaries(folder) == [("pkg/one.py", "Say one thing.")]


def test_module_without_a_word_is_refused(tmp_path):
    (tmp_path / "one.py").write_text("x = 1\n")
    with pytest.raises(ValueError, match=r"one\.py has no docstring: say in its first"):
        summaries(tmp_path)


@pytest.mark.parametrize("below", ["torchutils", "coursecheck", "courserun"])
def test_no_package_imports_one_above_it(below):
    order = ["torchutils", "coursecheck", "courserun", "coursebuild"]
    above = order[order.index(below) + 1 :]
    pattern = re.compile(rf"^\s*(?:from|import) ({'|'.join(above)})\b", re.MULTILINE)
    for path in (ROOT / "utils" / below).rglob("*.py"):
        assert not pattern.search(path.read_text(encoding="utf-8")), path
