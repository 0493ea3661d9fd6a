"""Date the site by its sources, never by the clock."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

__all__ = ["AS_OF", "put_date", "source_date", "spelled"]

AS_OF = "\ue0d0"  # in the place of ", as of 1 March 2026" until a page is published
MONTHS = (
    "January February March April May June "
    "July August September October November December"
)


def source_date(
    root: Path, paths: tuple[str, ...], environment: Mapping[str, str] = os.environ
) -> date | None:
    """Return the day of the last change of ``paths``; None where nobody knows it.

    That is ``SOURCE_DATE_EPOCH`` where it is set, else the day of the last commit
    that touched them.  Nobody knows it without git, in a shallow clone, and while
    they hold changes that are not committed.

    Raises:
        ValueError: ``SOURCE_DATE_EPOCH`` is no number of seconds.
    """
    if stamp := environment.get("SOURCE_DATE_EPOCH"):
        if not stamp.isdecimal():
            raise ValueError(
                f"SOURCE_DATE_EPOCH is {stamp!r}: it must be a number of seconds."
            )
        return _day(stamp)
    if not (root / ".git").exists() or not shutil.which("git"):
        return None
    if _git(root, "rev-parse", "--is-shallow-repository") != "false":
        return None
    if _git(root, "status", "--porcelain", "--", *paths):
        return None
    seconds = _git(root, "log", "-1", "--format=%ct", "--", *paths)
    return _day(seconds) if seconds else None


def _day(seconds: str) -> date:
    return datetime.fromtimestamp(int(seconds), UTC).date()


def _git(root: Path, *arguments: str) -> str:
    """Return what git says; nothing where there is no commit yet."""
    command = ["git", "--no-optional-locks", "-C", str(root), *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False
    ).stdout.strip()


def spelled(day: date) -> str:
    """Return a day in words, whatever the locale.

    >>> spelled(date(2026, 3, 1))
    '1 March 2026'
    """
    return f"{day.day} {MONTHS.split()[day.month - 1]} {day.year}"


def put_date(text: str, day: date | None) -> str:
    """Write the day into the text of a lesson's page; nothing where nobody knows it.

    Pages are kept without it: a commit changes it, and an edit after the commit, and
    neither lets Sphinx make a page anew.
    """
    return text.replace(AS_OF, f", as of {spelled(day)}" if day else "")
