"""Measure the default drawing of models, with module boxes, beside other tools'.

``python bench/pictures.py`` measures in the rivals' environment of ``drawing.py``,
writes ``docs/pictures_bench.txt``, which the page "Drawing graphs" shows, and exits
with 1 where a bar is not held.  The rivals' layouts are made by Graphviz's own program
``dot`` (Debian: ``apt install graphviz``).
"""

import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from math import inf
from pathlib import Path
from statistics import median

import torch
from drawing import ROOT, settle
from torch import nn

from torchutils import make_dot
from torchutils.svg import drawn_width

sys.path.append(str(ROOT))
from docs.models import MODELS, run  # beside the pages that draw them

RESULTS = ROOT / "docs" / "pictures_bench.txt"
OURS = "torchutils"
FIGURE, FORWARD = "figure", "forward"
Table = dict[str, dict[str, float | None]]
LIMIT = 60  # seconds for a rival's drawing
GOALS = {"ms": 150.0, "wide": 1600.0}
FASTER = 20  # times as fast as a rival, which the forward pass alone may forbid
BARRED = 5  # so many of the models have bars; the others are as large or smaller
MEASURED = f"""
Processor time with one thread, Graphviz's own program included; the least of five calls
of torchutils, one call of each other tool after one on a small model, in a process of
its own. A picture is one SVG with modules as boxes, and the forward pass that each tool
draws is in its time; to the others a GRU is one box. The figure (and its width)
is torchutils' alone: HTML of a loss that is there, drawn once for a desktop and once
for a phone, with the text version and what is in each closed box. "—": no picture
after {LIMIT} s.
"""


def taken(call: Callable[[], object]) -> float:
    """Return the milliseconds of a call."""
    start = time.process_time()
    call()
    return (time.process_time() - start) * 1e3


def spent() -> float:
    """Return the processor seconds of this process and of the programs that it ran."""
    who = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
    used = map(resource.getrusage, who)
    return sum(one.ru_utime + one.ru_stime for one in used)


def limited(tool: str, name: str) -> float | None:
    """Return the milliseconds of a rival's drawing; None if there is none in a minute.

    It is made in a process that is started afresh, since torchlens refuses a forked
    one.  Raises RuntimeError when it fails.
    """
    command = [sys.executable, __file__, "--inside", tool, name]
    child = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    status = child.wait()
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)  # programs that it ran, and left
    if status == -signal.SIGALRM:
        return None
    said = child.stdout.read() if child.stdout else ""
    if status:
        raise RuntimeError(f"{tool} failed to draw {name}, status {status}: {said}")
    return float(said.split()[-1])


def draw_as(tool: str, name: str) -> None:
    """Draw a small model, then one by name, and print the milliseconds of the last.

    It ends with SIGALRM after a minute.
    """
    draw = RIVALS[tool]
    make, given = MODELS[name]
    with tempfile.TemporaryDirectory() as folder:
        draw(nn.Sequential(nn.Linear(2, 2), nn.ReLU()), (torch.ones(1, 2),), folder)
        torch.manual_seed(0)
        model, inputs = make(), given()
        signal.alarm(LIMIT)
        start = spent()
        draw(model, inputs, folder)
        print((spent() - start) * 1e3)


def torchview_of(model: nn.Module, given: tuple, folder: str) -> None:
    """Draw with torchview, modules as boxes."""
    import torchview

    look = {"depth": 99, "expand_nested": True, "save_graph": False}
    found = torchview.draw_graph(model, input_data=given, **look)
    Path(folder, "view.svg").write_bytes(found.visual_graph.pipe("svg"))


def torchlens_of(model: nn.Module, given: tuple, folder: str) -> None:
    """Draw with torchlens, modules as boxes."""
    import torchlens

    look = {"vis_save_only": True, "vis_fileformat": "svg"}
    torchlens.trace(model, given).draw(vis_outpath=str(Path(folder, "lens")), **look)


RIVALS = {"torchview": torchview_of, "torchlens": torchlens_of}


def ours(name: str) -> dict[str, float | None]:
    """Return the milliseconds of a picture, a figure, a forward pass; and the width."""
    y, model = run(name)
    inputs = MODELS[name][1]()

    def picture() -> str:
        return make_dot(model(*inputs).sum(), model).svg

    return {
        OURS: min(taken(picture) for _ in range(5)),
        FIGURE: min(taken(lambda: make_dot(y, model).html) for _ in range(5)),
        FORWARD: min(taken(lambda: model(*inputs).sum()) for _ in range(5)),
        "wide": drawn_width(make_dot(y, model).svg) - 16,  # its margins
    }


def measure() -> Table:
    """Measure every model with every tool, one after the other."""
    table: Table = {}
    for name in MODELS:
        table[name] = ours(name)
        for tool in RIVALS:
            table[name][tool] = limited(tool, name)
    return table


def _times(ratio: float) -> str:
    return f"{ratio:.2g}" if ratio < 100 else f"{ratio:,.0f}"


def to_markdown(table: Table) -> str:
    """Return the measurements as a table."""
    head = [OURS, *(f"{tool} (×)" for tool in RIVALS), f"{FIGURE} (px)"]
    head = [name.replace("torch", "torch&shy;") for name in head]  # for a phone
    lines = [
        f"| ms | {' | '.join(head)} |",
        "|---" * (len(head) + 1) + "|",
    ]
    for name, row in table.items():
        cells = [f"{row[OURS]:.0f}"]
        for tool in RIVALS:
            time = row[tool]
            cells.append(
                "—" if time is None else f"{time:,.0f} ({_times(time / row[OURS])})"
            )
        cells.append(f"{row[FIGURE]:.0f} ({row['wide']:.0f})")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", _seen(table), "", MEASURED.strip()]) + "\n"


def _barred(table: Table) -> list[tuple[str, str, float, bool]]:
    """Return each bar: the model, what, the value, and whether it is held."""
    kinds = (("ms", FIGURE), ("wide", "wide"))
    values = [
        (name, what, table[name][key] or 0.0)
        for name in list(MODELS)[:BARRED]
        for what, key in kinds
    ]
    return [(name, what, v, v <= GOALS[what]) for name, what, v in values]


def _seen(table: Table) -> str:
    """Say in words which bars are held, and how the other tools compare."""
    lost = [
        f"{name}: {v:,.0f} {what}" for name, what, v, held in _barred(table) if not held
    ]
    said = f"lost by {'; '.join(lost)}" if lost else "held by each"
    parts = [
        f"The bar for figures of the first {BARRED} is {GOALS['ms']:g} ms and "
        f"{GOALS['wide']:,g} pixels: {said}."
    ]
    for tool in RIVALS:
        ratios = [row[tool] / row[OURS] for row in table.values() if row[tool]]
        parts.append(
            f"{tool} took {_times(min(ratios))} to {_times(max(ratios))} times as "
            f"long, {_times(median(ratios))} times in the middle."
        )
        above = [
            n for n, row in table.items() if FASTER * row[FORWARD] > (row[tool] or inf)
        ]
        if above:
            parts.append(
                f"{FASTER} times as fast would leave no time for the forward pass of "
                f"{'; '.join(above)}."
            )
    load = os.getloadavg()[2]
    parts.append(f"The machine, of {os.cpu_count()} cores, had a load of {load:.1f}.")
    return "\n".join(parts)


def report(table: Table) -> bool:
    """Print the table and each bar; return whether all are held."""
    print(to_markdown(table))
    for name, what, value, held in _barred(table):
        mark = "ok  " if held else "LOST"
        print(f"{mark} {name}, {what}: {value:.4g} (bar <= {GOALS[what]:g})")
    return all(held for *_, held in _barred(table))


if __name__ == "__main__":
    if shutil.which("dot") is None:
        sys.exit("the rivals need Graphviz's program dot: apt install graphviz")
    settle(__file__)
    if len(asked := sys.argv[2:]) == 2:
        draw_as(*asked)
        sys.exit()
    results = measure()
    RESULTS.write_text(to_markdown(results), "utf-8")
    sys.exit(not report(results))
