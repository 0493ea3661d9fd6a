"""Ask two releases for the derivatives of PyTorch's own operator database.

``python bench/sweep.py 2.13.0 2.15.0``.  The first release draws the database's sample
inputs once, with a seed, and stores them; both compute first and second derivatives
there, as drawn, and rounded to whole numbers so that ties occur.  Writes
``docs/sweep.json``, which the page "What changed between releases" shows.

The environments run this file too: ``--draw FILE`` stores the inputs, ``--answer FILE
ANSWERS`` what comes out.
"""

import io
import json
import signal
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from math import isclose, isnan
from pathlib import Path

OUT = Path(__file__).resolve().parent.parent / "docs" / "sweep.json"
BESIDE = ("numpy", "scipy", "expecttest")  # what the database imports
PAIR = ("2.13.0", "2.15.0")
SAMPLES = 12  # an operator's, the first ones
LARGEST = 500  # numbers in a sample
SECONDS = 10  # for one derivative of one sample
FORMS = {  # the scale makes whole numbers that are often equal
    "as drawn": lambda t: t,
    "rounded": lambda t: (0.34 * t).round(),
}


def main(versions: list[str]) -> None:
    """Draw under the first release, ask both, and write what differs."""
    from environments import EnvironmentFailure, environment

    if len(versions) != 2:
        raise EnvironmentFailure('a sweep compares two: TORCH="2.13.0 2.15.0"')
    answers = []
    with tempfile.TemporaryDirectory(prefix="sweep-") as name:
        drawn, found = Path(name, "drawn.pt"), Path(name, "answers.json")
        for version in versions:
            with environment(version, BESIDE) as torch:
                if not drawn.exists():
                    torch.run(__file__, "--draw", drawn)
                print(f"torch {version}: derivatives", flush=True)
                torch.run(__file__, "--answer", drawn, found)
            answers.append(json.loads(found.read_text()))
    told = {"releases": versions, **differences(*answers)}
    OUT.write_text(json.dumps(told, indent=1) + "\n", "utf-8")
    print(
        f"{told['inputs']} inputs, {len(told['differ'])} operators differ", flush=True
    )


def differences(old: dict[str, list], new: dict[str, list]) -> dict[str, object]:
    """Return how much both answered, and how many inputs of an operator differ.

    ``old`` and ``new`` map ``operator | number | form`` to the first derivative and
    the second, each numbers or the name of an exception.

    >>> old, new = ({"abs | 0 | as drawn": [[1.0], [n]]} for n in (0.0, 2.0))
    >>> differences(old, new)
    {'operators': 1, 'inputs': 1, 'differ': {'abs': {'second, as drawn': 1}}}
    """
    differ = dict[str, Counter[str]]()
    both = [name for name in old if name in new]
    for name in both:
        operator, _, form = name.split(" | ")
        pairs = zip(("first", "second"), old[name], new[name], strict=True)
        for which, one, other in pairs:
            if not _alike(one, other):
                differ.setdefault(operator, Counter())[f"{which}, {form}"] += 1
                break  # the second follows the first
    operators = {name.partition(" | ")[0] for name in both}
    told = {name: dict(count) for name, count in sorted(differ.items())}
    return {"operators": len(operators), "inputs": len(both), "differ": told}


def _alike(one: list[float] | str, other: list[float] | str) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return one == other
    return len(one) == len(other) and all(
        isclose(a, b, rel_tol=1e-4, abs_tol=1e-6) or (isnan(a) and isnan(b))
        for a, b in zip(one, other, strict=True)
    )


def draw(file: str) -> None:
    """Store sample inputs of each operator that has a derivative in float64."""
    import torch
    from torch.testing._internal.common_methods_invocations import op_db

    drawn = []
    for number, op in enumerate(op_db):
        if not op.supports_autograd or not op.supports_dtype(torch.float64, "cpu"):
            continue
        torch.manual_seed(number)
        for sample in _first(op):
            try:
                torch.save(sample, io.BytesIO())
            except Exception:  # it holds a function
                continue
            drawn.append((_name(op), sample))
    torch.save(drawn, file)


def _name(op) -> str:
    return f"{op.name} {op.variant_test_name}".strip()


def _first(op) -> Iterator[tuple]:
    import torch

    try:
        samples = list(op.sample_inputs("cpu", torch.float64, requires_grad=True))
    except Exception as error:  # what it needs is not installed
        print(f"{_name(op)}: {error}", file=sys.stderr)
        return
    for sample in samples[:SAMPLES]:
        whole = (sample.input, tuple(sample.args), dict(sample.kwargs))
        if sum(t.numel() for t in _tensors(whole)) <= LARGEST:
            yield whole


def _tensors(whole: object) -> list:
    from torch.utils._pytree import tree_leaves

    return [t for t in tree_leaves(whole) if hasattr(t, "numel")]


def answer(drawn: str, file: str) -> None:
    """Compute the derivatives at stored inputs."""
    import torch
    from torch.testing._internal.common_methods_invocations import op_db

    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGALRM, _late)
    known, found = {_name(op): op for op in op_db}, dict[str, list]()
    counts = Counter[str]()
    for name, sample in torch.load(drawn, weights_only=False):
        counts[name] += 1
        for form, change in FORMS.items():
            if name in known:
                told = _derivatives(known[name], sample, change)
                found[f"{name} | {counts[name]} | {form}"] = told
    Path(file).write_text(json.dumps(found))


def _late(*_: object) -> None:
    raise TimeoutError


def _derivatives(op, sample, change) -> list:
    """Return the first derivative and the second, each numbers or an error's name."""
    import torch
    from torch.utils._pytree import tree_map

    leaves = []

    def leaf(thing):
        if not isinstance(thing, torch.Tensor) or not thing.requires_grad:
            return thing
        leaves.append(change(thing.detach()).clone().requires_grad_())
        return leaves[-1]

    told: list = []
    try:
        signal.alarm(SECONDS)
        torch.manual_seed(0)
        first, *others = tree_map(leaf, sample[:2])
        kwargs = tree_map(leaf, sample[2])
        out = op.gradcheck_wrapper(op.op, first, *others[0], **kwargs)
        grads = torch.autograd.grad(
            _weighted(_tensors(out)), leaves, create_graph=True, allow_unused=True
        )
        told.append(_numbers(grads, leaves))
        if not any(g is not None and g.requires_grad for g in grads):
            return [*told, _numbers([None] * len(leaves), leaves)]
        second = torch.autograd.grad(_weighted(grads), leaves, allow_unused=True)
        told.append(_numbers(second, leaves))
    except Exception as error:
        told += [type(error).__name__] * (2 - len(told))
    finally:
        signal.alarm(0)
    return told


def _weighted(tensors: Iterable):
    """Return a sum in which no two entries weigh the same, of what has a gradient."""
    import torch

    total = torch.zeros((), dtype=torch.float64)
    for t in tensors:
        if t is not None and t.requires_grad:
            weights = torch.linspace(1.0, 2.0, t.numel(), dtype=torch.float64)
            parts = torch.view_as_real(t).sum(-1) if t.is_complex() else t
            total = total + (parts.to_dense().reshape(-1) * weights).sum()
    return total


def _numbers(grads: Iterable, leaves: Iterable) -> list[float]:
    """Return all entries, one after the other; 0 where nothing depends on a leaf."""
    import torch

    flat: list[float] = []
    for grad, leaf in zip(grads, leaves, strict=True):
        g = torch.zeros_like(leaf) if grad is None else grad.detach()
        g = torch.view_as_real(g.resolve_conj()) if g.is_complex() else g
        flat += g.to_dense().double().flatten().tolist()
    return flat


if __name__ == "__main__":
    if sys.argv[1:2] == ["--draw"]:
        draw(*sys.argv[2:])
    elif sys.argv[1:2] == ["--answer"]:
        answer(*sys.argv[2:])
    else:
        main(sys.argv[1:] or list(PAIR))
