"""What changed between releases: the file, what differs, the page, the atlas."""

import json
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from math import nan
from pathlib import Path

import pytest
from course import LESSONS

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "docs"), str(ROOT / "bench")]

import environments  # noqa: E402
import torches  # noqa: E402
from environments import EnvironmentFailure  # noqa: E402
from points import read_rows  # noqa: E402
from points_html import table  # noqa: E402
from releases import (  # noqa: E402
    FILE,
    GONE,
    History,
    Release,
    ReleaseError,
    answers,
    compared,
    key,
    read,
    read_history,
    written,
)
from releases_html import Changes, asked, elsewhere, steps, swept  # noqa: E402
from sweep import differences  # noqa: E402

LINES = "[kink]\ntorch.abs(x) | 0; 1\ntorch.sqrt(x) | 0 | note a pole"
ABS, ONE, SQRT = "torch.abs(x) | 0", "torch.abs(x) | 1", "torch.sqrt(x) | 0"
FLAT = dict.fromkeys(("value", "reverse", "forward", "vmap", "float32", "second"), "0")
STEEP = FLAT | dict.fromkeys(("reverse", "forward", "vmap", "float32"), "inf")


def rows(lines: str = LINES) -> list:
    return read_rows(lines, "mine.txt")


def toy() -> History:
    """Three releases: the first lacks sqrt, the last has another slope of abs."""
    history = History("2.13.0", (), {})
    own = {ABS: FLAT, ONE: FLAT, SQRT: STEEP}
    gone, other = own | {SQRT: {"value": GONE}}, own | {ABS: FLAT | {"forward": "1"}}
    for version, found in (("2.14.1", other), ("2.9.1", gone), ("2.13.0", own)):
        failed = {"docs/rules.md": "cell 1 <raised>"} if version == "2.9.1" else {}
        release = Release(version, "2026-11-29", "Linux", 1700, failed)
        history = history.having(release, found)
    return history


def changed(**parts: object) -> str:
    """Return the toy's file with other parts; None takes a row's entry out."""
    told = json.loads(written(toy()))
    for name, part in parts.items():
        told[name] = told[name] | part if isinstance(part, dict) else part
    told["rows"] = {n: row for n, row in told["rows"].items() if row is not None}
    return json.dumps(told)


def test_file_gives_back_what_was_written():
    assert read_history(rows(), written(toy())) == toy()


def test_file_holds_a_line_for_each_row_and_what_differs_alone():
    text = written(toy())
    lines = {
        call: next(x for x in text.splitlines() if call in x) for call in (ABS, ONE)
    }
    assert json.loads("{" + lines[ONE].strip(" ,") + "}") == {ONE: {"2.13.0": FLAT}}
    differs = json.loads("{" + lines[ABS].strip(" ,") + "}")[ABS]
    assert differs == {"2.13.0": FLAT, "2.14.1": {"forward": "1"}}


def test_releases_stand_in_their_order():
    assert [it.version for it in toy().releases] == ["2.9.1", "2.13.0", "2.14.1"]
    assert list(toy().rows[ABS]) == ["2.9.1", "2.13.0", "2.14.1"]


def test_a_row_that_a_release_was_not_asked_for_says_so_in_the_file():
    more = {ABS: FLAT, ONE: FLAT, SQRT: STEEP, "torch.cos(x) | 0": FLAT}
    history = toy().having(Release("2.13.0", "2026-11-29", "Linux"), more)
    text = written(history)
    assert json.loads(text)["rows"]["torch.cos(x) | 0"]["2.14.1"] is None
    with pytest.raises(ReleaseError, match=r"2\.9\.1 was not asked for torch\.cos"):
        read_history(rows(LINES + "\ntorch.cos(x) | 0"), text)


@pytest.mark.parametrize(
    ("text", "told", "remedy"),
    [
        ("{", "toy.json:1: ", "`make versions` writes it anew"),
        ("{}", "toy.json: lacks or misnames 'site'", "`make versions` writes it anew"),
        (
            changed(releases={"next": {"date": "", "platform": ""}}),
            "toy.json: no release 'next'",
            "write one like 2.13.0",
        ),
        (
            changed(rows={ABS: {"2.13.0": FLAT, "2.99.0": FLAT}}),
            f"toy.json: {ABS} has an answer of PyTorch 2.99.0",
            "`releases` lists 2.9.1, 2.13.0, 2.14.1",
        ),
        (
            changed(rows={SQRT: None}),
            f"mine.txt:3: {SQRT} is not in toy.json",
            '`make versions TORCH="2.9.1 2.13.0 2.14.1"`',
        ),
        (
            changed(rows={ONE: {"2.13.0": FLAT, "2.9.1": None}}),
            f"toy.json: PyTorch 2.9.1 was not asked for {ONE}",
            "`make versions TORCH=2.9.1`",
        ),
        (
            changed(rows={"torch.abz(x) | 0": {"2.13.0": FLAT}}),
            "toy.json: 'torch.abz(x) | 0' is no row of points.txt",
            "take its line out",
        ),
    ],
)
def test_a_file_that_does_not_go_with_the_table_is_refused(text, told, remedy):
    with pytest.raises(ReleaseError) as caught:
        read_history(rows(), text, name="toy.json")
    assert told in str(caught.value)
    assert remedy in str(caught.value)


def test_a_site_built_by_a_release_that_was_never_asked_is_refused():
    with pytest.raises(ReleaseError) as caught:
        read_history(rows(), written(toy()), here="2.16.0")
    assert "PyTorch 2.16.0 builds this site, and was never asked" in str(caught.value)
    assert "`make versions TORCH=2.16.0`" in str(caught.value)


def test_a_new_row_need_not_be_in_the_file():
    more = rows(LINES + "\ntorch.cos(x) | 0 | new")
    assert read_history(more, written(toy())) == toy()
    assert "torch.cos" not in Changes(toy(), more).rest().source


@pytest.mark.parametrize(
    ("old", "new", "differs"),
    [
        ("1", "1", False),
        ("1", "1.00001", False),
        ("0", "1e-07", False),
        ("nan", "nan", False),
        ("inf", "inf", False),
        ("1, 2", "1, 2", False),
        ("1", "0", True),
        ("nan", "0", True),
        ("inf", "-inf", True),
        ("1, 2", "1, 3", True),
        ("1, 2", "1", True),
        ("NotImplementedError", "0", True),
        ("NotImplementedError", "RuntimeError", True),
        ("RuntimeError", "RuntimeError", False),
    ],
)
def test_comparison_sees_changes_and_no_noise(old, new, differs):
    assert bool(compared({"second": old}, {"second": new})) is differs


def test_a_function_that_a_release_lacks_is_an_answer():
    gone, refused = rows("[kink]\ntorch.abz(x) | 0\ntorch.abs(x, colour=1) | 0")
    assert answers(gone) == {"value": GONE}
    assert answers(refused) == {"value": "TypeError"}


def test_page_shows_each_change_in_the_column_of_its_release():
    html = Changes(toy(), rows()).rest().source
    found = [re.sub("<[^>]+>", " ", line).split() for line in html.split("<tr>")[2:]]
    assert [" ".join(words) for words in found] == [
        "torch.abs(x) at 0 forward 0 1",
        "torch.sqrt(x) at 0 value not there 0",
    ]
    assert 'data-head="2.9.1, 2.13.0">0<' in html
    assert 'href="atlas.html#torch.abs-x-at-0"' in html
    assert "torch.abs(x)</code> at 1" not in html


def test_page_shows_no_row_twice_and_refuses_a_table_of_nothing():
    changes = Changes(toy(), rows())
    assert "torch.sqrt" in changes.table("sqrt").source
    assert "torch.sqrt" not in changes.rest().source
    assert "No other row changed" in changes.rest().source
    with pytest.raises(ValueError, match=r"no row that changed has a call like 'sqrt'"):
        changes.table("sqrt")


def test_page_counts_the_changes_from_release_to_release():
    assert re.findall(r"From .*? otherwise", steps(toy()).source) == [
        "From 2.9.1 to 2.13.0: 1 of 3 points answer otherwise",
        "From 2.13.0 to 2.14.1: 1 of 3 points answer otherwise",
    ]


def test_page_says_which_pages_stop_in_a_release():
    html = asked(toy()).source
    assert html.count("1,700") == 3
    assert "PyTorch 2.9.1: 1 lessons or pages stop" in html
    assert '<a href="rules.html">rules</a>: cell 1 &lt;raised&gt;' in html


def test_atlas_says_what_other_releases_answer():
    found = elsewhere(toy())
    assert found.keys() == {ABS, SQRT}
    assert found[ABS].endswith("2.14.1: forward 1")
    assert found[SQRT].endswith("2.9.1: not there")


def test_atlas_shows_it_in_the_row():
    from points import measure

    html = table([measure(row) for row in rows()], "kink", elsewhere(toy())).source
    lines = html.split("<tr id=")[1:]
    assert [("Other releases" in line) for line in lines] == [True, False, True]


OLD = {
    "abs | 1 | as drawn": [[1.0], [0.0]],
    "abs | 1 | rounded": [[0.0], [nan]],
    "sqrt | 1 | as drawn": [[0.5], "RuntimeError"],
    "qr | 1 | as drawn": [[1.0], [1.0]],
}


@pytest.mark.parametrize(
    ("changed", "differ"),
    [
        ({}, {}),
        ({"abs | 1 | as drawn": [[1.0 + 1e-7], [0.0]]}, {}),
        ({"abs | 1 | rounded": [[1.0], [0.0]]}, {"abs": {"first, rounded": 1}}),
        ({"abs | 1 | as drawn": [[1.0], [2.0]]}, {"abs": {"second, as drawn": 1}}),
        ({"abs | 1 | as drawn": [[1.0, 1.0], [0.0]]}, {"abs": {"first, as drawn": 1}}),
        ({"sqrt | 1 | as drawn": [[0.5], [1.0]]}, {"sqrt": {"second, as drawn": 1}}),
    ],
)
def test_sweep_counts_the_inputs_that_differ_and_no_noise(changed, differ):
    new = {
        name: it for name, it in (OLD | changed).items() if not name.startswith("qr")
    }
    assert differences(OLD, new) == {"operators": 2, "inputs": 3, "differ": differ}


def test_page_shows_the_sweep_with_the_row_that_changed():
    told = {"releases": ["2.9.1", "2.14.1"], "operators": 500, "inputs": 7000}
    counts = {"linalg.sqrt": {"second, rounded": 3}, "qr": {"first, as drawn": 2}}
    html = swept(toy(), rows(), json.dumps(told | {"differ": counts})).source
    assert (
        "From 2.9.1 to 2.14.1: 500 operators, 7,000 inputs, 2 operators differ" in html
    )
    assert 'second, rounded: 3 (<a href="atlas.html#torch.sqrt-x-at-0">' in html
    assert "first, as drawn: 2 (not in the atlas)" in html


def test_each_operator_of_the_site_that_differs_is_in_the_atlas():
    html = swept(read(FILE.read_text("utf-8")), read_rows()).source
    assert html.count("<li>") > 3
    assert "not in the atlas" not in html


def test_file_of_the_site_has_what_this_release_answers_now():
    import torch

    here, history = torch.__version__.partition("+")[0], read(FILE.read_text("utf-8"))
    late = [row for row in read_rows() if row.new and key(row) in history.rows]
    assert not late, "the file has them: take out their option `new`"
    found = {key(row): row for row in read_rows() if not row.new}
    wrong = {
        call: differs
        for call, row in found.items()
        if (differs := compared(history.rows[call][here], answers(row)))
    }
    assert not wrong
    assert len(found) > 300


def test_file_of_the_site_is_made_for_its_release_and_names_no_machine():
    text = FILE.read_text("utf-8")
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    assert f"torch=={read(text).site}" in groups["site"]
    assert written(read(text)) == text
    assert not re.search(r"/(tmp|root|home|work)\b", text)


@pytest.mark.parametrize("version", ["2.13", "next", "", "2.13.0+cpu"])
def test_no_release_is_refused_before_anything_is_installed(version):
    with (
        pytest.raises(EnvironmentFailure, match="is no release: write TORCH="),
        environments.environment(version, ()),
    ):
        pass


def test_a_full_disk_is_named_with_place_and_remedy():
    with pytest.raises(EnvironmentFailure) as caught:
        environments.refuse_full_disk("2.13.0", room=1e9)
    assert "torch 2.13.0 needs 1000000000.0 GB in" in str(caught.value)
    assert "make room, or set TMPDIR" in str(caught.value)


WITHOUT = """class Away:
    def find_spec(name, *_):
        if name.partition(".")[0] in AWAY:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Away)
sys.exit(pytest.main(sys.argv[1:]))"""


def plain(name: str) -> str:
    """Return the name of a distribution as it is compared, without its version."""
    return re.match(r"[\w-]+", name)[0].lower().replace("_", "-")


def test_torchutils_tests_need_only_what_other_releases_have_beside_them():
    """With nothing else to import, pytest finds each fixture that they ask for."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    there = {plain(name) for name in ("torch", *torches.BESIDE)}
    away = {plain(name) for name in groups["site"] + groups["test"]} - there
    found = packages_distributions()
    lacks = [module for module, names in found.items() if away & {*map(plain, names)}]
    assert {"playwright", "sphinx", "PIL"} <= {*lacks}
    code = f"import pytest, sys\nAWAY = {lacks}\n" + WITHOUT
    command = [sys.executable, "-c", code, *torches.PYTEST, "--setup-plan"]
    paths = os.pathsep.join(str(ROOT / name) for name in ("utils", "tests"))
    done = subprocess.run(
        [*command, *torches.TESTS],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": paths, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:]


PYTORCH = r"(?:torch|PyTorch|releases?)"
RANGE = re.compile(
    r"\b(?:until|before|since|from|after|up to|(?:old|new)er than) "
    rf"{PYTORCH} \d[\d.]*\d"
    rf"|\b{PYTORCH} \d[\d.]*\d (?:on|onwards?|(?:and|or) (?:lat|new|old)er)\b",
    re.IGNORECASE,
)
NAMED = re.compile(rf"\b{PYTORCH} (\d+\.\d+[\d., and]*)", re.IGNORECASE)
# These tell what `make torches` found, and how a later warning is declared.
OTHERS = {"docs/drawing_graphs.md", "docs/using.md", "docs/authors.md"}


def unasked(text: str, asked: set[str]) -> list[str]:
    """Return what a text says of releases that were not run: in a range, or by name."""
    text = re.sub(r"\s+", " ", text)
    known = asked | {version.rpartition(".")[0] for version in asked}
    named = [
        version
        for found in NAMED.finditer(text)
        for version in re.findall(r"\d+(?:\.\d+)+", found[1])
    ]
    return [found[0] for found in RANGE.finditer(text)] + [
        version for version in named if version not in known
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("So answers ``clamp`` until torch 2.13.", ["until torch 2.13"]),
        ("and is 0 from\nPyTorch 2.14 on:", ["from PyTorch 2.14"]),
        ("Release 2.14 and later warn.", ["Release 2.14 and later"]),
        ("In PyTorch 2.9.1, 2.11.0 and 2.13 it is 1", ["2.11.0"]),
        ("PyTorch 2.9.1, 2.13.0 and 2.14 say 1, and 2.15", []),
        ("made with PyTorch 2.8", ["2.8"]),
    ],
)
def test_release_that_was_not_asked_is_noticed(text, found):
    assert unasked(text, {"2.9.1", "2.13.0", "2.14.1"}) == found


def test_pages_speak_of_releases_that_were_asked_and_of_no_others():
    asked = {release.version for release in read(FILE.read_text("utf-8")).releases}
    texts = {
        lesson.name: [b.source for b in lesson.blocks if b.kind == "text"]
        for lesson in LESSONS
        if lesson.name not in OTHERS
    }
    found = {name: unasked("\n".join(text), asked) for name, text in texts.items()}
    assert {name: said for name, said in found.items() if said} == {}
    named = sum(bool(NAMED.search(part)) for text in texts.values() for part in text)
    assert named >= 20  # a reader of blocks that finds none would pass as well
