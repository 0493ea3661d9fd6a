"""The commands behind the Makefile: ``python -m coursebuild COMMAND``."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from coursebuild.commands import html as build
from coursebuild.sources.wording import cellwise

__all__ = ["main", "run"]

ROOT = Path(__file__).parents[2]
FEWER = 20_000, 20, 100  # collections: most of what a build or a book makes stays


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return its exit status."""
    parser = argparse.ArgumentParser(prog="coursebuild", description=__doc__)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("lesson", nargs="*", help="a script or page, to check")
    chosen = parser.parse_args(arguments)
    return run(partial(COMMANDS[chosen.command], *chosen.lesson))


def run(command: Callable[[], str]) -> int:
    """Print what a command returns, or why it fails; return its exit status."""
    gc.set_threshold(*FEWER)
    os.umask(0o022)  # what is published is for everybody
    try:
        print(cellwise(command()))
    except KeyboardInterrupt:
        print("Stopped; the published site is as it was.", file=sys.stderr)
        os._exit(130)  # an import that was broken off may crash Python's own exit
    except (build.SiteError, ValueError) as error:
        print(cellwise(str(error)), file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error}\n`make doctor` looks for the reason.", file=sys.stderr)
        return 1
    return 0


def _html() -> str:
    return build.build(ROOT)


def _draft() -> str:
    return build.draft(ROOT)


def _doctest(*lessons: str) -> str:
    from coursebuild.commands.doctest import confirm

    seeds = [int(seed) for seed in os.environ.get("SEED", "").split()]
    processor = os.environ.get("PROCESSOR", "")
    if processor not in ("", "oldest"):
        raise ValueError(f"PROCESSOR={processor} is unknown: PROCESSOR=oldest is one")
    return confirm(ROOT, lessons, seeds=seeds or [0], oldest=bool(processor))


def _claims() -> str:
    from coursebuild.sources.reading import read_lessons
    from coursebuild.texts.claims import check_claims

    return check_claims(ROOT, read_lessons(ROOT))


def _mutate(*lessons: str) -> str:
    from coursebuild.commands.doctest import mutate

    return mutate(ROOT, lessons)


def _serve() -> str:
    from coursebuild.commands.serve import serve

    return serve(ROOT)


def _books() -> str:
    from coursebuild.books import make_books

    return make_books(ROOT)


def _teach() -> str:
    from coursebuild.teaching import make_teach

    return make_teach(ROOT)


def _lock() -> str:
    from coursebuild.commands.lock import lock

    target = ROOT / "requirements.lock"
    target.write_text(lock(ROOT, upgrade=bool(os.environ.get("UPGRADE"))))
    return f"Wrote {target.name}; `make html` installs what it says."


def _notebooks() -> str:
    from coursebuild.addresses import read_places
    from coursebuild.commands.notebook_branch import write_branch

    folder = write_branch(ROOT, read_places(ROOT).repository)
    return f"Wrote {folder.relative_to(ROOT)}, what Colab and Binder open."


def _lesson(path: str = "") -> str:
    from coursebuild.commands.lesson import new_lesson

    return new_lesson(ROOT, path)


COMMANDS: dict[str, Callable[..., str]] = {
    "html": _html,
    "draft": _draft,
    "doctest": _doctest,
    "claims": _claims,
    "mutate": _mutate,
    "serve": _serve,
    "notebooks": _notebooks,
    "books": _books,
    "teach": _teach,
    "lock": _lock,
    "lesson": _lesson,
}

if __name__ == "__main__":
    status = main()
    gc.freeze()  # at exit Python would look at all that was made: a seventh of an edit
    sys.exit(status)
