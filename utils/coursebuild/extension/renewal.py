"""Read and write again only the pages that an edit has changed.

A page is read again when its source has changed, a file that it includes, the run
whose outputs it shows, or what it draws from other pages: a question, their number.
Pages show things of one another: titles, what can be linked, what the glossary says.
Where any of these has changed all pages are written again, else those that were read.
Where anything else has changed (code, settings, templates, style sheets) the build
begins with nothing.  So nobody has to list which page shows what of which other.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from docutils import nodes
from jinja2 import FileSystemBytecodeCache
from sphinx.application import Sphinx
from sphinx.builders import html
from sphinx.environment import CONFIG_OK, BuildEnvironment
from sphinx.util.osutil import copyfile

from coursebuild.extension.course import levels
from coursebuild.extension.head import CARDS
from coursebuild.extension.judge import sources_of
from coursebuild.lessons.outputs import write_pictures
from coursebuild.sources.docnames import source_of
from coursebuild.state import LEVELS, STATEMENTS, state
from coursebuild.typeset import TITLES, prepare
from courserun.kept import Files, Kept, link

__all__ = ["Renewal"]

RECORD = "record"
ENVIRONMENT = "doctrees/environment.pickle"
TEMPLATES = ".templates"  # beside what is kept: as Jinja has compiled them
TREES = "c", "cpp"  # domains whose data are trees that lead back to themselves


@dataclass
class _Record:
    """What a build knows at its end.

    ``key`` is of all that is no source of a page, ``digests`` are of what each page was
    read from, ``shown`` of what pages show of one another.  ``images`` are what Sphinx
    has copied, by their files, and ``added`` is what reading added to our own state.
    ``files`` are the digests of doctrees and pages, by where they lay.
    """

    key: str
    digests: dict[str, str] = field(default_factory=dict)
    shown: str = ""
    images: dict[str, str] = field(default_factory=dict)
    added: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)


class Renewal:
    """What one build makes of what the last one kept.

    ``written`` are the pages that it writes, once all have been read.
    """

    def __init__(self, kept: Path, work: Path, key: str, files: Files) -> None:
        """Take over what is there, if it is whole and has the same ``key``."""
        self._templates, self._work = kept.with_name(TEMPLATES), work
        self._files = files
        self._former, self._now = _Record(key), _Record(key)
        self._read: set[str] = set()
        self.written: set[str] = set()
        if data := Kept(kept).read(RECORD):
            former = pickle.loads(data)
            if former.key == key and all(map(files.holds, former.files.values())):
                self._former = former
                for name in former.files:
                    if name.startswith("doctrees/"):
                        self._put(name, work)

    def follow(self, app: Sphinx) -> None:
        """Let a build read and write what it has to."""
        if app.fresh_env_used:  # the folder has moved, say
            self._former = _Record(self._now.key)
        (self._work / ENVIRONMENT).unlink(missing_ok=True)  # read, and written anew
        state(app).add(self._former.added)
        app.builder.get_outdated_docs = list  # type: ignore[method-assign]  # none
        app.env.get_outdated_files = partial(  # type: ignore[method-assign]
            self._outdated, app
        )
        templates: Any = app.builder.templates
        folder = FileSystemBytecodeCache(str(_made(self._templates)))
        templates.environment.bytecode_cache = folder
        app.connect("env-purge-doc", self._forget)
        app.connect("env-before-read-docs", lambda *a: self._read.update(a[-1]))
        app.connect("env-updated", self._choose)
        app.connect("build-finished", _write_pictures, priority=400)
        copier: Any = html
        copier.copyfile = partial(_placed, f"{app.srcdir}{os.sep}")

    def _outdated(
        self, app: Sphinx, _config_changed: bool
    ) -> tuple[set[str], set[str], set[str]]:
        """Return the pages to read that are new, that have changed; those that went.

        Digests tell what changed: files that are linked into place have old times.
        """
        env, known = app.env, self._former.digests
        del env.get_outdated_files  # it has been asked, and cannot be stored
        there, former = set(env.found_docs), set(env.all_docs)
        if env.config_status != CONFIG_OK:
            return there, set(), former - there
        now = self._now.digests = {p: _digest(app, p) for p in former & there}
        changed = {p for p, digest in now.items() if digest != known.get(p)}
        return there - former, changed | env.reread_always & there, former - there

    def _forget(self, app: Sphinx, _env: object, page: str) -> None:
        """Forget a page that has gone, or is read again."""
        state(app).forget(page)
        (self._work / _doctree(page)).unlink(missing_ok=True)  # is written anew

    def _put(self, name: str, folder: Path) -> None:
        """Put a file of the last build where it lay."""
        _made((folder / name).parent)
        self._files.give(self._former.files[name], folder / name)

    def _choose(self, app: Sphinx, env: BuildEnvironment) -> list[str]:
        """Choose the pages to write; put the others in place as they were."""
        old = {p: d for p, d in self._now.digests.items() if p not in self._read}
        self._now.digests = {p: old.get(p) or _digest(app, p) for p in env.all_docs}
        self._now.shown = _shown(app)
        same = self._now.shown == self._former.shown
        left = {p for p in env.all_docs if same and p not in self._read}
        for page in left:
            for name in _files(page):
                if name in self._former.files:
                    self._put(name, Path(app.outdir))
        app.builder.images |= {
            file: name
            for file, name in self._former.images.items()
            if file in env.images and env.images[file][0] & left
        }
        self.written = env.all_docs.keys() - left
        prepare(app, TITLES, *env.titles.values())  # which other pages show
        return [*self.written, env.config.root_doc]  # none: it would not be kept

    def keep(self, app: Sphinx, messages: Iterable[str]) -> None:
        """Leave in ``work/kept`` what the next build needs.

        A page that a message is about is read again there, to say the same.
        """
        if any(name != Path(p).name for p, (_, name) in app.env.images.items()):
            return  # two pictures have one name: which is renamed hangs on who is first
        now, folder = self._now, self._work / "kept"
        for page in _speakers(app, messages):
            del now.digests[page]
        now.images, now.added = app.builder.images, state(app).added()
        names = [ENVIRONMENT, *map(_doctree, app.env.all_docs)]
        places = {name: self._work / name for name in names}
        for page in app.env.all_docs:
            places |= {name: Path(app.outdir, name) for name in _files(page)}
        for name, path in places.items():
            if path.exists():
                now.files[name] = self._files.take(path)
        Kept(folder).write(RECORD, pickle.dumps(now))


def _speakers(app: Sphinx, messages: Iterable[str]) -> set[str]:
    """Return the pages that messages are about; all, where one names none."""
    found: set[str] = set()
    for message in messages:
        named = {p for p in app.env.all_docs if _stem(app, p) in message}
        found |= named or app.env.all_docs.keys()
    return found


def _stem(app: Sphinx, page: str) -> str:
    return source_of(page, Path(app.confdir)).rpartition(".")[0] + "."


def _digest(app: Sphinx, page: str) -> str:
    """Digest what a page is made from: its own, and what it draws from others."""
    draws = sorted(state(app).draws.get(page, ()))
    return _sha(repr((_own(app, page), [_drawn(app, what) for what in draws])))


def _own(app: Sphinx, page: str) -> Any:
    """Return what tells of a page's file, of those that it includes, of its run."""
    env, top = app.env, f"{app.srcdir}{os.sep}"
    paths = [str(env.doc2path(page)), *sorted(map(str, env.dependencies[page]))]
    files = [(path.removeprefix(top), _sum(app, path)) for path in paths]
    return files, [state(app).runs.key(name) for name in sources_of(app, page)]


def _drawn(app: Sphinx, what: str) -> Any:
    """Return what tells of something that pages draw from others."""
    runs = state(app).runs
    if what == LEVELS:
        return levels(Path(app.confdir))
    if what == STATEMENTS:
        return [(name, run.statements) for name in runs.lessons if (run := runs[name])]
    return _own(app, what) if what in app.env.all_docs else None


def _sum(app: Sphinx, path: str) -> str:
    return state(app).files.digest(path) if os.path.isfile(path) else ""


def _shown(app: Sphinx) -> str:
    """Digest what pages may show of one another."""
    env, known = app.env, state(app).added()
    domains = {
        domain.name: sorted(domain.get_objects())
        if domain.name in TREES
        else domain.data
        for domain in env.domains.sorted()
    }
    about = env.titles, env.longtitles, env.metadata, env.tocs, env.toc_num_entries
    order = env.toctree_includes, env.toc_secnumbers, env.toc_fignumbers
    ours = {name: known[name] for name in ("facts", "places", "terms")}
    return _sha(_canonical((domains, about, order, ours)))


def _canonical(value: Any) -> str:
    """Write a value so that equal ones look equal, whatever the order of their keys.

    >>> _canonical({"b": {2, 1}, "a": None})
    "{'a': None, 'b': {1, 2}}"
    """
    if isinstance(value, nodes.Node):
        return value.pformat()
    if isinstance(value, Mapping):
        items = sorted(f"{_canonical(k)}: {_canonical(v)}" for k, v in value.items())
        return f"{{{', '.join(items)}}}"
    if isinstance(value, Set):
        return f"{{{', '.join(sorted(map(_canonical, value)))}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_canonical, value))}]"
    if value is None or isinstance(value, str | int | float):
        return repr(value)
    if hasattr(value, "__dict__"):
        return f"{type(value).__name__}{_canonical(vars(value))}"
    return repr(str(value))  # a text that waits for its language


def _sha(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _files(page: str) -> tuple[str, str]:
    return f"{page}.html", f"{CARDS}/{page}.png"


def _doctree(page: str) -> str:
    return f"doctrees/{page}.doctree"


def _placed(own: str, source: Any, target: Any, *, force: bool = False) -> None:
    """Put a picture or download in place of Sphinx, which copies it; ours are linked.

    ``own`` is how a path begins that this build has made.
    """
    if str(source).startswith(own):
        link(source, target)
    else:
        copyfile(source, target, force=force)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _write_pictures(app: Sphinx, error: Exception | None) -> None:
    """Write the pictures of all runs: pages that were not read have written none."""
    for run in state(app).runs.known if error is None else ():
        for output in run.outputs:
            write_pictures(output, Path(app.outdir, "_images"))
