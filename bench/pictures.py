"""Measure the default drawing of models, with module boxes, beside other tools'.

``python bench/pictures.py`` measures in the rivals' environment of ``drawing.py``,
writes ``docs/pictures_bench.txt``, which the page "Drawing graphs" shows, and exits
with 1 where a bar is not held.  The rivals' layouts are made by Graphviz's own program
``dot`` (Debian: ``apt install graphviz``).
"""

import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from drawing import ROOT, settle
from torch import nn

from torchutils import make_dot
from torchutils.svg import drawn_width

sys.path.append(str(ROOT))
from docs.models import MODELS, run  # beside the pages that draw them

RESULTS = ROOT / "docs" / "pictures_bench.txt"
OURS = "torchutils"
LIMIT = 60  # seconds for a rival's drawing
GOALS = {"ms": 150.0, "wide": 1600.0}
BARRED = 5  # so many of the models have bars; the others are as large or smaller
MEASURED = f"""
Processor time with one thread, Graphviz's own program included; the least of five calls
of torchutils, one call of each other tool after one on a small model. torchutils draws
the graph of a loss that is there, with what is in its boxes; the others run the forward
pass that they draw, in which a GRU is one box. "—": no drawing after {LIMIT} s.
"""


def taken(call: Callable[[], object]) -> float:
    """Return the milliseconds of a call."""
    start = time.process_time()
    call()
    return (time.process_time() - start) * 1e3


def limited(call: Callable[[], object]) -> float | None:
    """Return the milliseconds of a call and of the programs that it ran.

    It runs in a process group of its own, which is ended after a minute: then None.
    """
    child = os.fork()
    if not child:
        os.setsid()
        try:
            call()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    deadline = time.monotonic() + LIMIT
    while True:
        ended, status, used = os.wait4(child, os.WNOHANG)
        if ended:
            if status:
                raise RuntimeError(f"a rival's drawing failed, wait status {status}")
            return (used.ru_utime + used.ru_stime) * 1e3
        if time.monotonic() > deadline:
            os.killpg(child, signal.SIGKILL)
            os.wait4(child, 0)
            return None
        time.sleep(0.01)


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


def ours(name: str) -> tuple[float, float]:
    """Return the milliseconds of a drawing as HTML, and its width."""
    y, model = run(name)
    html = min(taken(lambda: make_dot(y, model).html) for _ in range(5))
    return html, drawn_width(make_dot(y, model).svg) - 16  # its margins


def measure() -> dict[str, dict[str, float | None]]:
    """Measure every model with every tool, ours first: torchlens wraps torch."""
    table: dict[str, dict[str, float | None]] = {}
    for name in MODELS:
        html, wide = ours(name)
        table[name] = {OURS: html, "wide": wide}
    small = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    with tempfile.TemporaryDirectory() as folder:
        for tool, draw in RIVALS.items():
            draw(small, (torch.ones(1, 2),), folder)
            for name, (make, given) in MODELS.items():
                torch.manual_seed(0)
                call = partial(draw, make(), given(), folder)
                table[name][tool] = limited(call)
    return table


def to_markdown(table: dict[str, dict[str, float | None]]) -> str:
    """Return the measurements as a table."""
    head = [OURS, "its width, px", *(f"{tool} (×)" for tool in RIVALS)]
    head = [name.replace("torch", "torch&shy;") for name in head]  # for a phone
    lines = [
        f"| HTML or SVG, ms | {' | '.join(head)} |",
        "|---" * (len(head) + 1) + "|",
    ]
    for name, row in table.items():
        cells = [f"{row[OURS]:.0f}", f"{row['wide']:.0f}"]
        for tool in RIVALS:
            time = row[tool]
            cells.append(
                "—" if time is None else f"{time:,.0f} ({time / row[OURS]:.0f})"
            )
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", MEASURED.strip()]) + "\n"


def report(table: dict[str, dict[str, float | None]]) -> bool:
    """Print the table and each bar; return whether all are held."""
    print(to_markdown(table))
    held = True
    for name in list(MODELS)[:BARRED]:
        row = table[name]
        for what, value in (("ms", row[OURS]), ("wide", row["wide"])):
            good = value <= GOALS[what]
            held &= good
            mark = "ok  " if good else "LOST"
            print(f"{mark} {name}, {what}: {value:.4g} (bar <= {GOALS[what]:g})")
    return held


if __name__ == "__main__":
    if shutil.which("dot") is None:
        sys.exit("the rivals need Graphviz's program dot: apt install graphviz")
    settle(__file__)
    results = measure()
    RESULTS.write_text(to_markdown(results), "utf-8")
    sys.exit(not report(results))
