"""Builds of many pages hold few of them at once."""

import gc
from types import SimpleNamespace
from weakref import ref

import pytest
from sphinx.builders.html import StandaloneHTMLBuilder

from coursebuild.extension import memory


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (50, [50]), (120, [50, 50, 20])])
def test_pages_are_written_group_by_group(monkeypatch, count, sizes):
    groups: list[set[str]] = []
    monkeypatch.setattr(
        StandaloneHTMLBuilder, "write_documents", lambda _, names: groups.append(names)
    )
    names = {f"page{n}" for n in range(count)}
    builder = object.__new__(memory._Builder)
    memory._Builder.write_documents(builder, names)
    assert [len(group) for group in groups] == sizes
    assert set().union(*groups) == names


class _Tree:
    def __init__(self):
        self.own = self


class _App:
    """What an extension is given: it notes the builder and what is done when."""

    def __init__(self):
        self.acts = {}

    def add_builder(self, builder, *, override):
        assert override
        self.builder = builder

    def connect(self, event, act):
        self.acts[event] = act


def test_trees_of_pages_that_were_read_are_freed():
    app = _App()
    memory.setup(app)
    assert app.builder.name == "html"
    was = gc.isenabled()
    gc.disable()
    try:
        env = SimpleNamespace()
        app.acts["env-before-read-docs"](app, env, [])
        held = env._write_doc_doctree_cache
        for number in range(2 * memory.HELD):
            held[f"page{number}"] = None
        assert len(held) == memory.HELD
        trees = []
        for _ in range(memory.READ):
            trees.append(ref(_Tree()))
            assert all(tree() for tree in trees)
            app.acts["doctree-read"](app, None)
        assert not any(tree() for tree in trees)
    finally:
        gc.unfreeze()
        if was:
            gc.enable()
