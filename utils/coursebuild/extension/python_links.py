"""Link names of torch and of Python to their documentation, without a network.

A name is looked up in the installed library, so a wrong one is a broken
reference, which stops the build.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from coursebuild.undisturbed import load_torch

__all__ = ["documentation", "resolve"]

TORCH = "https://docs.pytorch.org/docs/{}/{}.html"
PYTHON = "https://docs.python.org/{}.{}/library/{}.html#{}"
PAGES = {"torch.Tensor": "tensors", "torch.dtype": "tensor_attributes"}


def documentation(name: str) -> str | None:
    """Return the page that documents a name; None when there is no such name.

    >>> documentation("torch.autograd.grad").partition("/generated/")[2]
    'torch.autograd.grad.html'
    >>> documentation("torch.autograd.gard") is None
    True
    """
    module = _module_of(name)
    if module is None:
        return None
    if module.split(".")[0] == "torch":
        from torch import __version__

        release = ".".join(__version__.split(".")[:2])
        return TORCH.format(release, PAGES.get(name, f"generated/{name}"))
    return PYTHON.format(*sys.version_info[:2], module, name)


def _module_of(name: str) -> str | None:
    """Return the module of torch or of Python's library that holds a name."""
    parts = name.split(".")
    if parts[0] != "torch" and parts[0] not in sys.stdlib_module_names:
        return None
    if parts[0] == "torch":
        load_torch()
    for end in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:end]))
        except ImportError:
            continue
        for attribute in parts[end:]:
            found = getattr(found, attribute, None)
        return ".".join(parts[:end]) if found is not None else None
    return None


def resolve(
    _app: Sphinx, _env: BuildEnvironment, node: addnodes.pending_xref, content: Any
) -> nodes.reference | None:
    """Answer Sphinx's question for a reference that it cannot resolve itself."""
    url = documentation(node["reftarget"]) if node.get("refdomain") == "py" else None
    return nodes.reference("", "", content, internal=False, refuri=url) if url else None


def setup(app: Sphinx) -> None:
    """Register the look-up."""
    app.connect("missing-reference", resolve)
