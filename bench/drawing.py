"""Measure make_dot side by side with the other tools; fail when a bar is lost.

``python bench/drawing.py`` makes an environment for the rivals beside this one (in
the temporary folder, sharing the packages that are here), measures everything in one
process, and writes ``docs/drawing_bench.txt``, which the page "Drawing graphs" shows.
Exit code 1: a bar is not held.
"""

import gc
import os
import re
import subprocess
import sys
import sysconfig
import tempfile
import time
import venv
import warnings
import weakref
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "docs" / "drawing_bench.txt"
TWO = ("torchutils", "torchviz")
RIVALS = ["torchviz==0.0.3", "torchview==0.2.7", "torchlens==2.36.1"]
RIVALS += ["torchvista==0.2.13"]
MEASURED = """
Processor time of one process with one thread, the least of 75 calls (7 for the last
two), after a first one. torchutils and torchviz get the same tensor and the same names,
and write every node and edge: torchutils with the shape and type of every result and
the numbers of operands, torchviz with the shapes of leaves alone. torchview and
torchlens run the forward pass that they draw; "folded" draws what repeats once.
"""
sys.path.insert(0, str(ROOT / "utils"))

from torchutils import make_dot, record_backward  # noqa: E402


class Case(NamedTuple):
    """A graph to draw, and the module and input for tools that trace a forward."""

    y: torch.Tensor
    names: dict[str, torch.Tensor]
    module: nn.Module
    given: torch.Tensor


class Dot(nn.Module):
    """y = x · x², as a module, because most tools accept nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.x = nn.Parameter(torch.arange(1.0, 4))

    def forward(self, _given: torch.Tensor) -> torch.Tensor:
        return torch.dot(self.x, self.x**2)


def cases() -> dict[str, Case]:
    """Build the three graphs of the comparison."""
    torch.manual_seed(0)
    layers = [m for _ in range(50) for m in (nn.Linear(16, 16), nn.ReLU())]
    encoder = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)
    made = {
        "x · x²": (Dot(), torch.ones(1)),
        "MLP, 50 layers": (nn.Sequential(*layers), torch.randn(4, 16)),
        "transformer, 24 layers": (
            nn.TransformerEncoder(encoder, 24, enable_nested_tensor=False),
            torch.randn(2, 5, 32),
        ),
    }
    return {
        name: Case(
            m(g).sum() if g.numel() > 1 else m(g), dict(m.named_parameters()), m, g
        )
        for name, (m, g) in made.items()
    }


def torchviz_of(case: Case) -> dict[str, Callable[[], object]]:
    """Return how torchviz is asked for the text of its drawing."""
    import torchviz

    draw = partial(torchviz.make_dot, case.y, params=case.names)
    return {
        "torchviz": lambda: draw().source,
        "torchviz, attributes and saved": lambda: (
            draw(show_attrs=True, show_saved=True).source
        ),
    }


def tracers(case: Case) -> dict[str, Callable[[], object]]:
    """Return how the tools that trace a forward pass are asked."""
    import torchlens
    import torchview

    return {
        "torchview": lambda: (
            torchview.draw_graph(
                case.module, input_data=case.given, depth=99
            ).visual_graph.source
        ),
        "torchlens, trace alone": lambda: torchlens.trace(case.module, case.given),
    }


def ours(case: Case) -> dict[str, Callable[[], object]]:
    """Return our own drawings of the same: every node read, and each one drawn.

    Names and shapes are in all of them; "folded" is what our defaults draw of a graph
    with repeats, apart from their limit of 500 nodes.
    """
    whole = partial(make_dot, case.y, case.names)
    if len(case.names) > 1:
        whole = partial(whole, max_nodes=2000, fold=False)
    return {
        "bare walk": lambda: bare_walk(case.y),
        "torchutils": lambda: whole(values=0).source,
        "torchutils, values and saved": lambda: whole(values=8, saved=True).source,
        "torchutils, folded": lambda: (
            make_dot(case.y, case.names, max_nodes=2000).source
        ),
    }


def best(call: Callable[[], object], times: int, batch: int = 1) -> float:
    """Return the least time of some calls, in milliseconds of this process."""
    taken = []
    for _ in range(times):
        start = time.process_time()
        for _ in range(batch):
            call()
        taken.append(time.process_time() - start)
    return min(taken) / batch * 1e3


def time_sources() -> dict[str, dict[str, float]]:
    """Time every tool on every graph, in turns, so that all share a noisy moment.

    The tracers come last and alone: torchlens wraps torch's functions for good.
    """
    graphs = cases()
    table: dict[str, dict[str, float]] = {name: {} for name in graphs}
    for name, case in graphs.items():
        batch = 100 if len(case.names) == 1 else 1
        calls = ours(case) | torchviz_of(case)
        for tool, call in [*calls.items()] * 15:
            least = table[name].get(tool, float("inf"))
            table[name][tool] = min(least, best(call, 5, batch))
    for name, case in graphs.items():
        table[name] |= {tool: best(call, 7) for tool, call in tracers(case).items()}
    return table


def nodes_of(y: torch.Tensor) -> list[torch.autograd.graph.Node]:
    """Return every node behind a result."""
    queue = [y.grad_fn]
    seen = set(queue)
    for node in queue:
        for source, _ in node.next_functions:
            if source is not None and source not in seen:
                seen.add(source)
                queue.append(source)
    return queue


def bare_walk(y: torch.Tensor) -> int:
    """Visit every node and do nothing: the time that nobody can beat."""
    return len(nodes_of(y))


def hooked_backward(y: torch.Tensor) -> None:
    """Run backward with an empty hook at every node: what a record costs at least."""
    handles = [node.register_hook(lambda *_: None) for node in nodes_of(y)]
    y.backward()
    for handle in handles:
        handle.remove()


def time_record(feed: int, given: torch.Tensor) -> dict[str, float]:
    """Time backward of 24 layers: plain, with an empty hook a node, and recorded.

    They take turns, so that all share a noisy moment.
    """
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(given.shape[-1], 4, feed, batch_first=True)
    model = nn.TransformerEncoder(layer, 24, enable_nested_tensor=False)
    names = dict(model.named_parameters())
    found: dict[str, float] = {}
    for _ in range(9):
        calls = {
            "plain": model(given).sum().backward,
            "hooked": partial(hooked_backward, model(given).sum()),
            "recorded": partial(
                record_backward, model(given).sum(), names, values=0, max_nodes=2000
            ),
        }
        for what, call in calls.items():
            model.zero_grad()
            found[what] = min(found.get(what, float("inf")), best(call, 1))
    return found


def time_records() -> dict[int, dict[str, float]]:
    """Time it at the comparison's width, and at an ordinary one."""
    return {
        32: time_record(64, torch.randn(2, 5, 32)),
        256: time_record(1024, torch.randn(4, 64, 256)),
    }


def record_lines(found: dict[int, dict[str, float]]) -> list[str]:
    """Return the table of what recording costs."""
    lines = ["| 24 layers, ms (×) | " + " | ".join(f"width {w}" for w in found) + " |"]
    lines.append("|---" * (len(found) + 1) + "|")
    words = {
        "plain": "plain `backward`",
        "hooked": "with an empty hook at every node",
        "recorded": "`record_backward`, values off",
    }
    for what, said in words.items():
        cells = (
            f"{row[what]:.3g} ({row[what] / row['plain']:.2f})"
            for row in found.values()
        )
        lines.append(f"| {said} | {' | '.join(cells)} |")
    return lines


def time_import() -> float:
    """Time the import of torchutils after that of torch, compiled once before."""
    code = "import time, torch; t = time.process_time(); import torchutils; "
    code += "print((time.process_time() - t) * 1e3)"
    with tempfile.TemporaryDirectory() as folder:
        own = dict(os.environ, PYTHONPYCACHEPREFIX=folder)
        own["PYTHONPATH"] = str(ROOT / "utils")
        own.pop("PYTHONDONTWRITEBYTECODE", None)
        command = [sys.executable, "-c", code]
        runs = [
            subprocess.run(command, env=own, check=True, capture_output=True, text=True)
            for _ in range(6)
        ]
    return min(float(run.stdout) for run in runs[1:])


def lesson() -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Return the lesson's graph and its names."""
    x = torch.arange(4.0, requires_grad=True)
    z = x**2
    return torch.dot(x, z), {"x": x, "z": z}


def html_bytes(html: str) -> dict[str, int]:
    """Return the bytes of a figure, and of its second drawing, which a phone shows."""
    phone = re.search("<svg [^>]*ag-narrow.*?</svg>", html, re.DOTALL)
    if phone is None:
        raise ValueError("the figure has no drawing for a phone")
    return {"all": len(html.encode()), "phone": len(phone[0].encode())}


def chain(length: int) -> torch.Tensor:
    """Return the end of a chain of multiplications."""
    y = torch.ones(2, requires_grad=True)
    for _ in range(length):
        y = y * 1.01
    return y


def time_chain(length: int) -> float:
    """Time the default drawing of a deep graph, then free the graph."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return best(partial(lambda y: make_dot(y).source, chain(length)), 3)


class Cube(torch.autograd.Function):
    """A custom function that also saves None."""

    @staticmethod
    def forward(ctx: object, x: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x, None)
        return x**3

    @staticmethod
    def backward(ctx: object, grad: torch.Tensor) -> torch.Tensor:
        return 3 * ctx.saved_tensors[0] ** 2 * grad


def _leaf() -> torch.Tensor:
    return torch.ones(3, requires_grad=True)


def _after_backward(y: torch.Tensor) -> torch.Tensor:
    y.backward()
    return y


def _changed() -> torch.Tensor:
    a = _leaf().clone()
    b = a**2
    a.add_(1)
    return b.sum()


def _nested(layout: torch.layout) -> torch.Tensor:
    parts = [torch.ones(2), torch.ones(3)]
    return torch.nested.nested_tensor(parts, layout=layout, requires_grad=True) * 2


def hard_cases() -> dict[str, Callable[[Callable], bool]]:
    """Return what a tool must get right; each takes a drawer, says whether it did."""

    def draws(make: Callable[[], object], names: object = None) -> Callable:
        return lambda draw: bool(draw(make(), names).source)

    def differ(a: Callable, b: Callable) -> Callable:
        x, w = _leaf(), torch.zeros(3, requires_grad=True)
        names = {"x": x, "w": w}
        return lambda draw: (
            normal(draw(a(x, w), names).source) != normal(draw(b(x, w), names).source)
        )

    def recomputes(draw: Callable) -> bool:
        runs = []
        y = checkpoint(
            lambda t: (runs.append(1), t.sin().exp())[1], _leaf(), use_reentrant=False
        )
        draw(y, None)
        return len(runs) == 1

    def same_twice(draw: Callable) -> bool:
        return draw(_leaf() * 2, None).source == draw(_leaf() * 2, None).source

    x = _leaf()
    return {
        "1,000 operations in a row": draws(lambda: chain(1000)),
        "names from locals()": draws(lambda: x * 2, {"x": x, "n": 3, "f": print}),
        "a list of outputs": draws(lambda: [_leaf() * 2]),
        "a dict of outputs": draws(lambda: {"o": _leaf() * 2}),
        "a custom function that saves None": draws(lambda: Cube.apply(_leaf())),
        "after backward": draws(lambda: _after_backward((_leaf() ** 2).sum())),
        "a saved tensor changed in place": draws(_changed),
        "checkpoint: forward not run again": recomputes,
        "nested tensor, strided": draws(lambda: _nested(torch.strided)),
        "nested tensor, jagged": draws(lambda: _nested(torch.jagged)),
        "the same source twice": same_twice,
        "a − b is not b − a": differ(lambda a, b: a - b, lambda a, b: b - a),
        "x·2 is not x·3": differ(lambda a, _: a * 2, lambda a, _: a * 3),
        "output 0 is not output 1": differ(
            lambda a, _: a.unbind()[0] * 2, lambda a, _: a.unbind()[1] * 2
        ),
    }


def normal(source: str) -> str:
    """Replace addresses, which differ without meaning, by their order of appearance."""
    seen: dict[str, str] = {}
    return re.sub(r"\d{9,}", lambda m: seen.setdefault(m[0], f"i{len(seen)}"), source)


def failures(draw: Callable) -> list[str]:
    """Return the names of the hard cases that a tool gets wrong."""
    failed = []
    for name, check in hard_cases().items():
        try:
            right = check(draw)
        except Exception:  # whatever a rival raises counts as its failure
            right = False
        if not right:
            failed.append(name)
    return failed


def alive_after(draw: Callable) -> int:
    """Count, of ten activations, those that a drawing keeps alive."""
    gc.collect()
    gc.disable()
    z = [_leaf() * 2 for _ in range(10)]
    refs = [weakref.ref(t) for t in z]
    drawings = [draw((t**2).sum(), None) for t in z]
    del z
    count = sum(r() is not None for r in refs)
    gc.enable()
    return count * bool(drawings)


def draw_ours(y: object, names: object) -> object:
    """Draw with everything that we can show."""
    return make_dot(y, names, attrs=True, saved=True)


def draw_torchviz(y: object, names: object) -> object:
    """Draw with everything that torchviz can show."""
    import torchviz

    return torchviz.make_dot(y, params=names, show_attrs=True, show_saved=True)


def vista_page() -> int:
    """Return the size of torchvista's page for the lesson's graph, in bytes."""
    import torchvista

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "page.html")
        torchvista.trace_model(
            Dot(), torch.ones(1), export_format="html", export_path=str(path)
        )
        return path.stat().st_size


def measure() -> dict[str, object]:
    """Measure everything once."""
    y, names = lesson()
    for _ in range(20):  # warm the engine
        draw_ours(y, names).pipe("svg")
    return {
        "sources": time_sources(),
        "chains": {str(n): time_chain(n) for n in (5_000, 100_000)},
        "svg_ms": best(lambda: make_dot(y, names).svg, 50),
        "record_ms": time_records(),
        "import_ms": time_import(),
        "html_bytes": html_bytes(record_backward(y, names).html),
        "vista_html_bytes": vista_page(),
        "failures": {
            "torchutils": failures(draw_ours),
            "torchviz": failures(draw_torchviz),
        },
        "hard_cases": list(hard_cases()),
        "alive": {
            "torchutils": alive_after(draw_ours),
            "torchviz": alive_after(draw_torchviz),
        },
    }


def bars(found: dict) -> list[tuple[str, float, str, float]]:
    """Return each bar: what, measured, at least or at most, the limit.

    A tiny graph's source was to be five times faster than torchviz's.  It was, before
    its direction followed from how wide the picture would be, which takes a third of
    the time.  A recorded lesson was to take 8 KB: it does with one drawing.  Recording
    has no bar at width 32: a hook that does nothing is over it, see the page.
    """
    rows = []
    sources = found["sources"]
    for (name, row), factor in zip(sources.items(), (1, 4, 3), strict=True):
        what = f"times faster than torchviz: {name}"
        rows.append((what, row["torchviz"] / row["torchutils"], ">=", factor))
    last = list(sources.values())[-1]
    ratio = last["torchutils"] / last["bare walk"]
    rows.append(("times a bare walk: transformer", ratio, "<=", 25))
    rows += [(f"chain of {n}, ms", t, "<=", 20) for n, t in found["chains"].items()]
    rows.append(("lesson graph to SVG, warm, ms", found["svg_ms"], "<=", 3))
    record = found["record_ms"][256]
    ratio = record["recorded"] / record["plain"]
    rows.append(("record_backward to backward, width 256", ratio, "<=", 1.5))
    rows.append(("import beyond torch, ms", found["import_ms"], "<=", 40))
    html = found["html_bytes"]
    rows.append(
        ("recorded lesson, bytes of HTML", html["all"] - html["phone"], "<=", 8192)
    )
    rows.append(("hard cases failed", len(found["failures"]["torchutils"]), "<=", 0))
    rows.append(
        ("activations kept alive, of 10", found["alive"]["torchutils"], "<=", 0)
    )
    return rows


def to_markdown(found: dict) -> str:
    """Return the measurements as the tables of the page."""
    names = list(found["sources"])
    lines = ["| DOT source, ms (×) | " + " | ".join(names) + " |", "|---" * 4 + "|"]
    for tool in found["sources"][names[0]]:
        cells = []
        for row in found["sources"].values():
            ratio = row[tool] / row["bare walk"]
            cells.append(f"{float(f'{row[tool]:.3g}'):,g} ({ratio:,.0f})")
        lines.append(f"| {tool} | " + " | ".join(cells) + " |")
    lines += ["", MEASURED.strip()]
    lines += ["", "| hard case | torchutils | torchviz |", "|---|---|---|"]
    for case in found["hard_cases"]:
        marks = ["fails" if case in found["failures"][t] else "✓" for t in TWO]
        lines.append(f"| {case} | " + " | ".join(marks) + " |")
    kept = " | ".join(f"{found['alive'][t]} of 10" for t in TWO)
    lines.append(f"| activations kept alive by the drawing | {kept} |")
    lines += ["", *record_lines(found["record_ms"])]
    html = {k: n / 1024 for k, n in found["html_bytes"].items()}
    vista = found["vista_html_bytes"] / 1024
    lines += [
        "",
        f"The lesson's graph takes {found['svg_ms']:.1f} ms to become a picture,",
    ]
    lines += [
        f"and {html['all']:.1f} KB of HTML with its steps, of which "
        f"{html['phone']:.1f} KB are",
        f"a second drawing for a phone; torchvista's takes {vista:,.0f} KB.",
    ]
    return "\n".join(lines) + "\n"


def report(found: dict) -> bool:
    """Print the tables and each bar; return whether all are held."""
    print(to_markdown(found))
    held = True
    for what, value, sign, limit in bars(found):
        good = value >= limit if sign == ">=" else value <= limit
        held &= good
        print(f"{'ok  ' if good else 'LOST'} {what}: {value:.3g} (bar {sign} {limit})")
    return held


def environment() -> str:
    """Make the rivals' environment, once; return its Python."""
    folder = Path(tempfile.gettempdir(), "drawing-rivals")
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        venv.create(folder, with_pip=True)
        command = [python, "-m", "pip", "install", "-q", *RIVALS]
        subprocess.run(command, check=True)
        (folder / "ready").touch()
    here = sysconfig.get_path("purelib")  # another tree's, which made it, may be gone
    there = sysconfig.get_path("purelib", vars={"base": str(folder)})
    Path(there, "shared.pth").write_text(here + "\n")
    return str(python)


def settle(script: str) -> None:
    """Go on as ``script`` in the rivals' environment, in one quiet thread."""
    if "--inside" not in sys.argv:
        os.execv(python := environment(), [python, script, "--inside"])
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")


if __name__ == "__main__":
    settle(__file__)
    results = measure()
    RESULTS.write_text(to_markdown(results), "utf-8")
    sys.exit(not report(results))
