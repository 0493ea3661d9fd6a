"""Ask releases of torch what the atlas asks, and whether the site's statements hold.

``python bench/versions.py 2.9.1 2.15.0``, or all that ``docs/releases.json`` lists.
Each release gets an environment of some 7 GB in the temporary folder, one after the
other.  Writes ``docs/releases.json`` after each, which the atlas and the page "What
changed between releases" show.

The environment runs this file too: ``--rows`` prints what is answered at the rows,
``--statements`` what became of the statements of lessons and pages.
"""

import json
import platform
import sys
import time
import tomllib
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "docs"), str(ROOT / "utils")]
FIRST = ("2.9.1", "2.13.0", "2.14.1", "2.15.0")
LONGEST = 160  # characters of what a page says where it stops


def main(versions: list[str]) -> None:
    """Ask each release, and write what was found after each."""
    from environments import environment, refuse_no_release
    from releases import FILE, read

    text = FILE.read_text("utf-8") if FILE.exists() else _nothing()
    known = [release.version for release in read(text).releases]
    for version in versions or known or FIRST:
        refuse_no_release(version)  # before hours are spent on the others
    for version in versions or known or FIRST:
        with environment(version, _needs(), constraints=_constraints()) as torch:
            _ask(torch)


def _nothing() -> str:
    """Return a file without releases."""
    return json.dumps({"site": _pinned(), "releases": {}, "rows": {}})


def _pinned() -> str:
    """Return the release that the site is built with."""
    pins = (line.partition("==") for line in _lock())
    return next(version for name, _, version in pins if name == "torch")


def _lock() -> list[str]:
    return (ROOT / "requirements.lock").read_text("utf-8").splitlines()


def _needs() -> list[str]:
    """Return what the site needs beside torch."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    return [name for name in groups["site"] if not name.startswith("torch")]


def _constraints() -> Path:
    """Return the lock without torch, whose own needs differ between releases."""
    path = ROOT / "build" / "beside_torch.txt"
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(x for x in _lock() if not x.startswith("torch=")))
    return path


def _ask(torch) -> None:  # an environments.Environment
    """Ask an environment's release, and write what was found."""
    from releases import FILE, Release, read, written

    print(f"torch {torch.version}: rows of the atlas", flush=True)
    found = json.loads(torch.run(__file__, "--rows").stdout)
    print(f"torch {torch.version}: statements of the site", flush=True)
    stated = json.loads(torch.run(__file__, "--statements").stdout)
    today = time.strftime("%Y-%m-%d", time.gmtime())
    release = Release(torch.version, today, found["platform"], **stated)
    history = read(FILE.read_text("utf-8") if FILE.exists() else _nothing())
    history = replace(history, site=_pinned()).having(release, found["rows"])
    FILE.write_text(written(history), "utf-8")
    failed = len(release.failed)
    told = f"{len(found['rows'])} rows, {release.statements} statements"
    print(f"torch {torch.version}: {told}, {failed} pages stop", flush=True)


def rows() -> dict[str, object]:
    """Return what this release answers at each row, and where it ran."""
    import torch
    from points import read_rows
    from releases import answers, key

    torch.manual_seed(0)
    torch.set_num_threads(1)
    parts = platform.system(), platform.machine(), f"Python {sys.version.split()[0]}"
    told = ", ".join([*parts, f"torch {torch.__version__}"])
    return {"platform": told, "rows": {key(row): answers(row) for row in read_rows()}}


def statements() -> dict[str, object]:
    """Return how many statements hold under this release, and the pages that stop."""
    from releases import FILE

    from coursebuild.commands.doctest import run_statements
    from coursebuild.sources.reading import read_lessons

    # The pages that show the file refuse it while releases are still to be asked.
    asked = [x for x in read_lessons(ROOT) if FILE.name not in dict(x.files)]
    runs = list(run_statements(asked))
    failed = {run.lesson: _why(run) for run in runs if run.failure}
    return {"statements": sum(len(run.statements) for run in runs), "failed": failed}


def _why(run) -> str:  # a courserun.lesson.Run
    """Return the beginning of what a page says, without its place."""
    words = " ".join(run.failure.message.split())
    return words.removeprefix(f"{run.lesson}:").lstrip("0123456789: ")[:LONGEST]


if __name__ == "__main__":
    asked = {"--rows": rows, "--statements": statements}.get("".join(sys.argv[1:]))
    if asked:
        json.dump(asked(), sys.stdout)
    else:
        main(sys.argv[1:])
