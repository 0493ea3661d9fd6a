"""The same sources give the same bytes, wherever, whenever, and whatever was there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from toy import ALPHA, BETA, ENVIRONMENT, PAGE, ROOT, Site

EPOCH = "1700000000"  # 2023-11-14 22:13:20 UTC


def copy_sources(site: Site, root: Path) -> Site:
    """Copy a site without anything that was built."""
    copied = site.copy(root)
    shutil.rmtree(copied.html.parent)
    return copied


def change_times(site: Site) -> None:
    """Make every file look old, each by another age."""
    for age, path in enumerate(sorted(site.root.rglob("*"))):
        os.utime(path, (age * 1e6, age * 1e6))


VARIATIONS: dict[str, dict[str, object]] = {
    "folder": {"folder": "with space ü"},
    "time_zone": {"env": {"TZ": "Asia/Tokyo"}},
    "locale": {"env": {"LC_ALL": "C", "LANG": "de_DE"}},
    "umask": {"umask": 0o077},
    "hash_seed": {"env": {"PYTHONHASHSEED": "123"}},
    "file_times": {"old": True},
}


def together(*variations: dict[str, object]) -> dict[str, object]:
    """Return several variations as one."""
    env = {k: v for it in variations for k, v in it.get("env", {}).items()}
    return {k: v for it in variations for k, v in it.items()} | {"env": env}


def built(reference: Site, folder: Path, variation: dict[str, object]) -> str:
    """Return what ``sums`` says of the reference's sources, built in another way."""
    options = dict(variation)
    site = copy_sources(reference, folder / str(options.pop("folder", "site")))
    if options.pop("old", False):
        change_times(site)
    done = site.build(**options)
    assert done.code == 0, done
    sums = site.sums()
    shutil.rmtree(site.root)
    return sums


@pytest.mark.parametrize("workers", ["1", "7"])
def test_site_has_the_same_bytes_wherever_and_whenever(
    reference: Site, tmp_path: Path, workers: str
) -> None:
    """All at once; where that differs, each alone tells which of them it is."""
    lessons = {"env": {"WORKERS": workers}}
    same = reference.sums()
    if built(reference, tmp_path, together(*VARIATIONS.values(), lessons)) != same:
        alone = VARIATIONS | {"workers": lessons}
        wrong = [k for k, v in alone.items() if built(reference, tmp_path, v) != same]
        pytest.fail(f"the bytes are others with another {' and '.join(wrong)}")


def test_make_reads_utf8_where_python_would_not(site: Site) -> None:
    shutil.copy(ROOT / "Makefile", site.root)
    site.write(PAGE, "# Page\n\nÜmlaut\n")
    run = f'RUN="{sys.executable}" -m coursebuild'
    done = subprocess.run(
        ["make", "--old-file=env", "html", run],
        cwd=site.root,
        env=ENVIRONMENT | {"LC_ALL": "C", "PYTHONUTF8": "0"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done
    assert "Ümlaut" in (site.html / "page.html").read_text(encoding="utf-8")


def test_source_date_epoch_is_the_date_of_what_has_one(site: Site) -> None:
    before = dict(map(str.split, site.sums().splitlines()))
    done = site.build(env={"SOURCE_DATE_EPOCH": EPOCH})
    assert done.executed == set()
    (wheel,) = site.html.glob("wheel/*.whl")
    with zipfile.ZipFile(wheel) as archive:
        dates = {entry.date_time for entry in archive.infolist()}
    assert dates == {(2023, 11, 14, 22, 13, 20)}
    after = dict(map(str.split, site.sums().splitlines()))
    changed = {after[digest] for digest in set(after) - set(before)}
    assert {Path(name).suffix for name in changed} <= {".whl", ".zip", ".html"}


def replace(name: str, old: str, new: str) -> Callable[[Site], None]:
    """Return a change of one source."""

    def change(site: Site) -> None:
        text = site.read(name)
        assert old in text
        site.write(name, text.replace(old, new))

    return change


def rename(site: Site) -> None:
    """Give a lesson another number."""
    (site.root / ALPHA).rename(site.root / "gallery/0_toy/30_alpha.py")


def add(site: Site) -> None:
    """Add a lesson."""
    site.write("gallery/0_toy/40_zeta.py", site.read(BETA).replace("Beta", "Zeta"))


EVERY = {ALPHA, BETA, PAGE}
# What is changed, one after another: (how, the lessons that run again).  A later change
# hides what an earlier one has left undone where it makes the same page anew: so those
# after which all is made anew come first.
CHAINS = {
    "all": [
        (replace("conf.py", "Gradients", "Slopes"), EVERY),
        (replace("requirements.lock", "# Every", "# Each"), EVERY),
        (replace("docs/_static/site.css", "{", "{ "), set()),
        (replace("utils/torchutils/labels.py", "import", "import "), {ALPHA}),
        (replace("utils/helper.py", "12", "13"), {BETA}),
    ],
    "some": [
        (replace("docs/index.md", "# Toy", "# A toy"), set()),
        (replace(ALPHA, "x * x", "x * x * x"), {ALPHA}),
        (replace(BETA, "One number", "A number"), set()),  # its page alone
        (replace(PAGE, "6 * 7", "6 * 8"), {PAGE}),
    ],
    "their number": [
        (add, {"gallery/0_toy/40_zeta.py"}),
        (rename, {"gallery/0_toy/30_alpha.py"}),
        (lambda site: (site.root / BETA).unlink(), set()),
    ],
}


@pytest.mark.parametrize("chain", CHAINS)
def test_changes_build_what_a_clean_build_would(
    site: Site, tmp_path: Path, chain: str
) -> None:
    for number, (edit, executed) in enumerate(CHAINS[chain]):
        edit(site)
        done = site.build()
        assert done.code == 0, (number, done)
        assert done.executed == executed, number
    clean = copy_sources(site, tmp_path / "clean")
    assert clean.build().code == 0
    assert site.sums() == clean.sums()
    shutil.rmtree(clean.root)


def test_no_change_builds_nothing(site: Site) -> None:
    before = os.readlink(site.html), site.html.stat().st_mtime_ns
    done = site.build()
    assert done.out.startswith("Nothing to do")
    assert (os.readlink(site.html), site.html.stat().st_mtime_ns) == before


@pytest.mark.parametrize("edit", [rename, lambda site: (site.root / ALPHA).unlink()])
def test_lesson_that_goes_takes_its_downloads_along(
    site: Site, edit: Callable[[Site], None]
) -> None:
    assert list(site.html.rglob("10_alpha*"))
    edit(site)
    assert site.build().code == 0
    assert not list(site.html.rglob("10_alpha*"))
    words = [path.read_text("utf-8") for path in site.html.rglob("*.html")]
    assert not [text for text in words if "10_alpha" in text]


def test_downloads_of_a_changed_lesson_are_the_new_ones(site: Site) -> None:
    replace(BETA, "VALUE\n", "VALUE + 1\n")(site)
    replace(BETA, "import VALUE + 1", "import VALUE")(site)
    assert site.build().code == 0
    (script,) = site.html.glob("_downloads/*/20_beta.py")
    assert script.read_text(encoding="utf-8") == site.read(BETA)
