"""Act on a module as soon as it is imported, whoever imports it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

__all__ = ["when_imported"]

Action = Callable[[ModuleType], None]


def when_imported(actions: Mapping[str, Action]) -> None:
    """Call each action with its module: now, or at the end of its import."""
    there = {name: sys.modules[name] for name in actions if name in sys.modules}
    for name, module in there.items():
        actions[name](module)
    later = {name: act for name, act in actions.items() if name not in there}
    sys.meta_path.insert(0, _Awaiting(later))


class _Awaiting(MetaPathFinder):
    """Finds modules as Python does; those that are awaited do more when they load."""

    def __init__(self, actions: dict[str, Action]) -> None:
        self._actions = actions

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return nothing, which lets Python look on, but for what is awaited."""
        action = self._actions.pop(name, None)
        spec = PathFinder.find_spec(name, path, target) if action else None
        if action and spec and spec.loader:
            load = _then(spec.loader.exec_module, action)
            spec.loader.exec_module = load  # type: ignore[method-assign,assignment]
        return spec


def _then(load: Action, action: Action) -> Action:
    def both(module: ModuleType) -> None:
        load(module)
        action(module)

    return both
