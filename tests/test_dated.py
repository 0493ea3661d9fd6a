"""The date of the site: its sources', or none."""

from __future__ import annotations

import os
import subprocess
from datetime import date
from pathlib import Path

import pytest

from coursebuild.publishing.source_date import source_date

PATHS = ("conf.py", "docs")


def git(folder: Path, *arguments: str, day: str = "") -> None:
    """Run git as somebody, on a day."""
    who = {f"GIT_{role}_{what}": "a@b" for role in ("AUTHOR", "COMMITTER")
           for what in ("NAME", "EMAIL")}  # fmt: skip
    when = {"GIT_COMMITTER_DATE": f"{day}T23:30:00Z"} if day else {}
    subprocess.run(
        ["git", "-C", folder, *arguments],
        env={"PATH": os.environ["PATH"], **who, **when},
        check=True,
        capture_output=True,
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Make a project with two commits, of which the second touches no source."""
    folder = tmp_path / "project"
    (folder / "docs").mkdir(parents=True)
    for name in ("conf.py", "docs/index.md", "README.md"):
        (folder / name).write_text("one")
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--message=one", day="2024-02-29")
    (folder / "README.md").write_text("two")
    git(folder, "commit", "--all", "--message=two", day="2025-01-01")
    return folder


def test_date_is_that_of_the_last_commit_that_touched_a_source(root: Path) -> None:
    assert source_date(root, PATHS, {}) == date(2024, 2, 29)


def test_date_does_not_depend_on_the_time_zone(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert source_date(root, PATHS, {}) == date(2024, 2, 29)


def test_source_date_epoch_comes_first(root: Path) -> None:
    assert source_date(root, PATHS, {"SOURCE_DATE_EPOCH": "0"}) == date(1970, 1, 1)


def test_source_date_epoch_that_is_no_number_is_named(root: Path) -> None:
    with pytest.raises(ValueError, match="SOURCE_DATE_EPOCH is 'today'"):
        source_date(root, PATHS, {"SOURCE_DATE_EPOCH": "today"})


@pytest.mark.parametrize("name", ["conf.py", "docs/new.md"])
def test_change_without_commit_has_no_date(root: Path, name: str) -> None:
    (root / name).write_text("changed")
    assert source_date(root, PATHS, {}) is None


def test_change_of_no_source_keeps_the_date(root: Path) -> None:
    (root / "README.md").write_text("changed")
    assert source_date(root, PATHS, {}) == date(2024, 2, 29)


def test_shallow_clone_has_no_date(root: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--depth=1", root.as_uri(), "shallow")
    assert source_date(tmp_path / "shallow", PATHS, {}) is None


def test_folder_without_git_or_commit_has_no_date(tmp_path: Path) -> None:
    assert source_date(tmp_path, PATHS, {}) is None
    git(tmp_path, "init", "--quiet")
    assert source_date(tmp_path, PATHS, {}) is None


def test_copy_inside_another_repository_has_no_date(root: Path) -> None:
    copy = root / "copy"
    (copy / "docs").mkdir(parents=True)
    assert source_date(copy, PATHS, {}) is None
