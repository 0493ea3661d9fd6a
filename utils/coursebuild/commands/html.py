"""Build the site aside, check it, and only then publish it."""

from __future__ import annotations

import gc
import logging
import os
import re
import shutil
from collections.abc import Iterable
from functools import partial
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from coursebuild.publishing.publish import (
    code,
    fingerprint,
    input_date,
    is_current,
    locked,
    look,
    pages_key,
    publish,
    readable,
    swept,
)
from coursebuild.sources.wording import authored, worded
from coursebuild.undisturbed import load_torch

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

    from coursebuild.extension.renewal import Renewal
    from coursebuild.lessons.start import Course
    from courserun.kept import Files, Memory
    from courserun.lesson import Lesson

__all__ = ["SiteError", "StaleCodeError", "build", "draft", "run_sphinx", "told"]

KEPT = ".pages"
UTILS = Path(__file__).parents[2]
READERS = "coursebuild/publishing", "coursebuild/texts", "coursecheck"  # of pages
FEW = 6  # pages: they are written before as many processes are forked
ANSI = re.compile(r"\x1b\[[0-9;]*m")


class SiteError(Exception):
    """The site cannot be published; the message says why, for its author."""


class StaleCodeError(Exception):
    """This process has loaded code that is not what the files say now."""


def build(root: Path, loaded: str | None = None) -> str:
    """Bring ``build/html`` up to date; return one line about it.

    ``loaded`` is what ``code`` said before this process loaded ours, where that is not
    just now.

    Raises:
        SiteError: a lesson, a page or a check failed; the former site stays.
        StaleCodeError: the code has changed since it was ``loaded``.
    """
    target = root / "build" / "html"
    with locked(target.parent):
        seen = look(root)
        mark, key = fingerprint(root, seen), pages_key(root, seen)
        if loaded not in (None, code(root, seen.state)):
            raise StaleCodeError
        if is_current(target, mark):
            return f"Nothing to do, the site is up to date: {_address(target)}"
        with swept(target):
            made = _build_aside(root, target.parent, key, execute_lessons=True)
            built, notes, files = made
            now = look(root)
            if (now.state, fingerprint(root, now)) != (seen.state, mark):
                raise SiteError("A source changed during the build: build again.")
            publish(built, target, mark, files.digest)
            shutil.rmtree(target.with_name(KEPT), ignore_errors=True)
            if built.with_name("kept").exists():
                built.with_name("kept").rename(target.with_name(KEPT))
            files.sweep()
    return "\n".join([*told(notes), f"The site is ready, open {_address(target)}"])


def draft(root: Path) -> str:
    """Build ``build/draft`` without executing anything; known outputs are shown."""
    target = root / "build" / "draft"
    with locked(target.parent), swept(target.with_name("html")):
        key = pages_key(root)
        built, *_ = _build_aside(root, target.parent, key, execute_lessons=False)
        shutil.rmtree(target, ignore_errors=True)
        built.rename(target)
    return f"A draft is ready (nothing was executed), open {_address(target)}"


def told(notes: list[str]) -> list[str]:
    """Return the lines that tell an author of what does not stop the site."""
    return [f"note: {note}\n" for note in notes]


def _build_aside(
    root: Path, folder: Path, key: str, *, execute_lessons: bool
) -> tuple[Path, list[str], Files]:
    """Return a folder with the checked site, notes for its authors, and its files."""
    from coursebuild.publishing.easy_links import mend
    from coursebuild.publishing.finish import finish
    from coursebuild.publishing.site_checks import problems
    from courserun.kept import Kept, Memory

    work = folder / ".work"  # always here: Sphinx notes where it read
    kept = Kept(folder / ".read")
    read = Memory(kept, *(UTILS / name for name in READERS))
    built, course, said = run_sphinx(root, work, key, read, execute=execute_lessons)
    drawn = {run.lesson: run.drawings for run in course.runs.known}
    lessons, files = course.runs.lessons.values(), course.files
    easy = [lesson.name for lesson in lessons if not lesson.strict]
    found = finish(built, input_date(root), files, read, key)
    mended = mend(built, root, easy, read, files.digest)
    found += problems(built, root, drawn, read, files.digest)
    read.keep()
    kept.sweep()
    if execute_lessons and found:
        raise SiteError("The site is not published:\n" + "\n".join(found))
    return built, said + mended, files


def run_sphinx(
    root: Path, work: Path, key: str, read: Memory, *, execute: bool
) -> tuple[Path, Course, list[str]]:
    """Build into ``work`` from a copy of ``docs``; return its pages, course and notes.

    The copy keeps generated pages out of the sources.  Runs are stored by content
    (``freshness``), what texts say is ``read`` once; pages that need not be made again
    are those of the last site (``renewal``).
    """
    from courserun.runner import start_server

    shutil.copytree(root / "docs", work / "docs")
    readable(work / "docs")  # and writable, where the sources are not
    new = not (root / "build" / ".runs").exists()  # else most edits run no lesson
    if execute and new and not os.environ.get("CLUSTER"):
        start_server()  # it loads torch while we read
    from coursebuild.lessons.start import (  # seconds that a no-op must not pay
        begin,
        stop,
    )
    from coursebuild.texts.form import review, sort_messages
    from courserun.runs import LessonError

    warnings, failures = StringIO(), list[str]()
    failure = course = renewal = None
    whole = list[bool]()  # whether Sphinx came to the end of the pages
    try:
        course = begin(root, work / "html", execute=execute)
        if not course.runs.makes_pages:
            raise LessonError("\n\n".join(course.runs.failures()))
        from sphinx.application import Sphinx

        from coursebuild.extension.renewal import Renewal

        if execute:
            renewal = Renewal(work.with_name(KEPT), work, key, course.files)
        logging.disable(logging.INFO)  # nobody reads of each file that is copied
        app = Sphinx(
            srcdir=work / "docs",
            confdir=root,
            outdir=work / "html",
            doctreedir=work / "doctrees",
            buildername="html",
            confoverrides={"execute_lessons": execute, "pages_key": key},
            status=None,
            warning=warnings,
        )
        if renewal:
            renewal.follow(app)
        app.connect("env-before-read-docs", _load_what_is_shown)
        app.connect("env-updated", partial(_write_in_forks, renewal))
        app.connect("build-finished", lambda _, e: whole.append(not e), priority=0)
        app.build(force_all=not renewal)
    except Exception as error:
        failure = error
        if course and execute:
            failures = course.runs.failures()
    finally:
        stop()
        logging.disable(logging.NOTSET)
        gc.unfreeze()
    lessons = course.runs.lessons.values() if course else ()
    said = authored(_readable(warnings.getvalue(), root, work), root, work / "docs")
    wrong, theirs = (list(map(worded, x)) for x in sort_messages(said, lessons))
    notes = theirs
    if failure and _reason(failure) != "\n\n".join(failures):
        failures.append(_readable(_reason(failure), root, work))
    wrong = failures + wrong
    if course and execute:
        faults, own = review(root, lessons, course.runs.known, known=read)
        wrong, notes = wrong + faults, notes + own
    if wrong or course is None:
        if execute and any(whole):
            wrong += _dead_links(work / "html", root, lessons)
        raise SiteError("\n\n".join(dict.fromkeys(wrong))) from failure
    if renewal:
        renewal.keep(app, theirs)
    for name in (".buildinfo", ".buildinfo.bak"):
        (work / "html" / name).unlink(missing_ok=True)
    return work / "html", course, notes


def _load_what_is_shown(_app: Sphinx, env: BuildEnvironment, names: list[str]) -> None:
    """Load torch where a page shows docstrings of ours: Sphinx will import them."""
    pages = (Path(env.doc2path(name)).read_text(encoding="utf-8") for name in names)
    if any("automodule::" in page for page in pages):
        load_torch()


def _write_in_forks(renewal: Renewal | None, app: Sphinx, _env: object) -> list[str]:
    """Let Sphinx write pages in processes of its own from now on, where they are many.

    Our extension is not made for reading so.  Four a core, so that no core waits for
    the last one's pages.  A collection would touch, and so copy, what they share.
    Torch is shared, too: it is asked where a page links one of its names.
    """
    from courserun.runner import at_once

    many = renewal is None or len(renewal.written) > FEW
    if many:
        load_torch()
    gc.freeze()
    app.parallel = 4 * at_once() if many and at_once() > 1 else 1
    return []  # no other page is read


def _dead_links(site: Path, root: Path, lessons: Iterable[Lesson]) -> list[str]:
    """Return what leads nowhere on pages that are not published for other faults."""
    from coursebuild.publishing.easy_links import mend
    from coursebuild.publishing.site_checks import dead_links

    mend(site, root, [lesson.name for lesson in lessons if not lesson.strict])
    return dead_links(site, root)


def _reason(error: BaseException) -> str:
    """Return what a lesson's author needs of an exception; Sphinx wraps them."""
    from courserun.runs import LessonError

    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, LessonError):
            return str(inner)
        inner = getattr(inner, "orig_exc", None) or inner.__cause__
    error = getattr(error, "orig_exc", None) or error
    return f"{type(error).__name__}: {error}"


def _readable(text: str, root: Path, work: Path) -> str:
    """Name the author's files in Sphinx's messages, not the copies."""
    text = ANSI.sub("", text).replace(f"{work}/docs/lessons/", "gallery/")
    return text.replace(f"{work}/", "").replace(f"{root}/", "").strip()


def _address(folder: Path) -> str:
    return (folder / "index.html").absolute().as_uri()
