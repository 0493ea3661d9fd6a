"""Publishing: one step, nothing lost, left-overs swept."""

import subprocess
import sys
from pathlib import Path

import pytest

from coursebuild.publishing.publish import (
    STORES,
    fingerprint,
    is_current,
    locked,
    look,
    pages_key,
    publish,
    sweep,
)

ROOT = Path(__file__).parents[1]


@pytest.fixture
def built(tmp_path):
    folder = tmp_path / "build" / ".work-1" / "html"
    folder.mkdir(parents=True)
    (folder / "index.html").write_text("<html>one</html>")
    return folder


@pytest.fixture
def target(tmp_path):
    return tmp_path / "build" / "html"


def test_publish_shows_what_was_built(built, target):
    publish(built, target, "one")
    assert (target / "index.html").read_text() == "<html>one</html>"


def test_publish_replaces_the_former_site(built, target):
    publish(built, target, "one")
    built.mkdir()
    (built / "other.html").write_text("two")
    publish(built, target, "two")
    assert [p.name for p in sorted(target.iterdir())] == ["SHA256SUMS", "other.html"]


def test_publish_replaces_a_plain_folder(built, target):
    target.mkdir()
    (target / "old.html").write_text("old")
    publish(built, target, "one")
    assert not (target / "old.html").exists()


def test_publish_makes_files_readable_for_a_web_server(built, target):
    (built / "index.html").chmod(0o600)
    publish(built, target, "one")
    assert (target / "index.html").stat().st_mode & 0o777 == 0o644


def test_manifest_is_what_sha256sum_checks(built, target):
    publish(built, target, "one")
    check = ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"]
    assert subprocess.run(check, cwd=target, check=False).returncode == 0


def test_site_is_current_for_its_own_fingerprint_only(built, target):
    publish(built, target, "one")
    assert is_current(target, "one")
    assert not is_current(target, "two")


def test_damaged_site_is_not_current(built, target):
    publish(built, target, "one")
    (target / "index.html").write_text("")
    assert not is_current(target, "one")


def test_damaged_site_is_replaced(built, target):
    publish(built, target, "one")
    (target / "index.html").write_text("")
    built.mkdir()
    (built / "index.html").write_text("new")
    publish(built, target, "one")
    assert (target / "index.html").read_text() == "new"


def test_missing_site_is_not_current(target):
    assert not is_current(target, "one")


def test_sweep_keeps_the_published_site_alone(built, target):
    publish(built, target, "one")
    (target.parent / ".work-99").mkdir()
    (target.parent / ".sites" / "zero").mkdir()
    sweep(target)
    names = sorted(p.name for p in target.parent.iterdir())
    assert names == [".sites", "html"]
    assert [p.name for p in (target.parent / ".sites").iterdir()] == ["one"]


def test_sweep_takes_half_a_file_from_what_builds_keep_and_no_whole_one(target):
    for store in (*STORES, ".teach"):
        (target.parent / store).mkdir(parents=True)
        for name in ("whole.json", "half.part"):
            (target.parent / store / name).touch()
    sweep(target)
    found = {path.relative_to(target.parent) for path in target.parent.glob("*/*")}
    assert {path.parent.name for path in found if path.suffix == ".json"} > {*STORES}
    halves = [path for path in found if path.suffix == ".part"]
    assert halves == [Path(".teach/half.part")]  # who makes packs holds no lock


def test_lock_makes_a_second_build_wait(tmp_path):
    code = (
        "import sys, time; from pathlib import Path\n"
        "from coursebuild.publishing.publish import locked\n"
        "with locked(Path(sys.argv[1])): print('held', flush=True); time.sleep(0.5)"
    )
    first = subprocess.Popen(
        [sys.executable, "-c", code, tmp_path],
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": str(ROOT / "utils")},
    )
    assert first.stdout.readline() == b"held\n"
    with locked(tmp_path):
        assert first.wait(timeout=60) == 0
    first.stdout.close()


def test_inputs_hold_every_kind_of_source():
    names = look(ROOT).digests.keys()
    assert {
        "conf.py",
        "requirements.lock",
        "docs/index.md",
        "gallery/0_basics/10_gradients_with_pytorch.py",
        "utils/torchutils/__init__.py",
        "utils/coursebuild/downloads/notebooks.lua",
        "vendor/katex/katex.min.js",
    } <= names


def test_inputs_hold_nothing_generated():
    assert not [name for name in look(ROOT).digests if name.endswith(".pyc")]


def copy_inputs(folder):
    for name in look(ROOT).digests:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())
    return folder


def test_fingerprint_does_not_depend_on_the_folder(tmp_path):
    one, other = (copy_inputs(tmp_path / name) for name in ("ä b", "c"))
    assert fingerprint(one) == fingerprint(other)


@pytest.mark.parametrize(
    ("name", "value"),
    [("GITHUB_REPOSITORY", "ada/engine"), ("SOURCE_DATE_EPOCH", "1700000000")],
)
def test_fingerprint_changes_with_what_the_environment_says(
    tmp_path, monkeypatch, name, value
):
    monkeypatch.delenv(name, raising=False)
    before = fingerprint(copy_inputs(tmp_path))
    monkeypatch.setenv(name, value)
    assert fingerprint(tmp_path) != before


@pytest.mark.parametrize(
    "name", ["conf.py", "requirements.lock", "docs/index.md", "vendor/README.md"]
)
def test_fingerprint_changes_with_every_input(tmp_path, name):
    before = fingerprint(copy_inputs(tmp_path))
    (tmp_path / name).write_text("changed")
    assert fingerprint(tmp_path) != before


def test_fingerprint_changes_when_a_file_is_renamed(tmp_path):
    before = fingerprint(copy_inputs(tmp_path))
    (tmp_path / "docs" / "rules.md").rename(tmp_path / "docs" / "laws.md")
    assert fingerprint(tmp_path) != before


def test_look_shows_a_file_that_was_changed_and_changed_back(tmp_path):
    page = copy_inputs(tmp_path) / "docs/rules.md"
    before, text = look(tmp_path), page.read_text("utf-8")
    page.write_text(f"{text} ", "utf-8")
    page.write_text(text, "utf-8")
    now = look(tmp_path)
    assert now.digests == before.digests
    assert now.state != before.state


def test_link_that_leads_nowhere_is_no_input(tmp_path):
    before = fingerprint(copy_inputs(tmp_path))
    (tmp_path / "docs/lost.md").symlink_to("nowhere.md")
    assert fingerprint(tmp_path) == before


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("docs/rules.md", False),
        ("gallery/GALLERY_HEADER.rst", False),
        ("docs/_static/site.css", True),
        ("utils/coursebuild/state.py", True),
    ],
)
def test_key_of_all_pages_changes_with_what_is_no_page(tmp_path, name, changes):
    before = pages_key(copy_inputs(tmp_path))
    path = tmp_path / name
    path.write_text(f"{path.read_text('utf-8')}\n", "utf-8")
    assert (pages_key(tmp_path) != before) == changes
