"""Measure the playground in Chromium: its first drawing, and an edit of 30 nodes.

``python bench/playground.py`` measures the site in ``build/html``, and exits with 1
where a bar is not held; ``python bench/playground.py REVISION`` measures the scripts of
another revision beside it, in turns, and prints the ratio.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, CDPSession, Page, Route, sync_playwright

from coursebuild.extension.site_files import JOINED

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "build" / "html" / "playground.html").resolve().as_uri()
sys.path.insert(0, str(ROOT / "tests"))

from chromium import find  # noqa: E402

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic"]
TIMES, EDITS, NODES = 3, 30, 30
PARTS = ("ScriptDuration", "RecalcStyleDuration", "LayoutDuration")
BARS = {"first drawing": 100.0, "edit": 16.0}  # milliseconds
UNITS = {
    "first drawing": "ms from the load event to the first drawing, 0 if it came before",
    "edit": f"ms of processor time for an edit of {NODES} nodes, drawn and laid out",
    "clock": "ms the same by the clock, with all else that the machine does",
}
STARTED = (
    """addEventListener("redrawn", () => window.drawn ??= performance.now(), true)"""
)
FIRST = """() => [document.querySelectorAll(".ag-node").length,
  Math.max(0, drawn - performance.getEntriesByType("navigation")[0].loadEventStart)]"""
EDIT = """program => {
  const field = document.querySelector("#pg-text");
  field.value = program;
  const start = performance.now();
  field.dispatchEvent(new Event("input"));
  document.body.offsetHeight; // the browser lays the page out
  return [document.querySelectorAll(".ag-node").length, performance.now() - start];
}"""
Found = dict[str, float]


def program(k: int) -> str:
    """Return a program of so many nodes as are measured, the k-th of its kind."""
    steps = ["h = h + x", "h = (h * x).tanh()"] * 9
    lines = ["x = tensor([1., 2.], requires_grad=True)", f"h = x * {2 + k / 10}"]
    return "\n".join([*lines, *steps, "y = h.sum()"])


def former(revision: str) -> Callable[[Route], None]:
    """Return what answers for scripts with those of another revision."""

    def answer(route: Route) -> None:
        name = route.request.url.split("/_static/")[1].split(".js")[0]
        folder, _, page = name.rpartition("/")
        parts = [f"{folder}/{part}" for part in JOINED[page]] if folder else [name]
        command = ["git", "show", *(f"{revision}:docs/_static/{p}.js" for p in parts)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
        route.fulfill(body=done.stdout, content_type="text/javascript")

    return answer


def measure(browser: Browser, answer: Callable[[Route], None] | None) -> Found:
    """Open the page anew, and edit it; the first edits, not yet compiled, don't count.

    Raises:
        ValueError: something else is drawn than what is to be measured.
    """
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    if answer:
        for pattern in ("**/_static/playground/*.js*", "**/_static/walk.js*"):
            page.route(pattern, answer)
    page.add_init_script(STARTED)
    page.goto(PAGE)
    count, first = page.evaluate(FIRST)
    session = context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    took = [_edit(page, session, k) for k in range(2 * EDITS)][EDITS:]
    context.close()
    if not count or {nodes for nodes, *_ in took} != {NODES}:
        raise ValueError(f"{count} nodes were drawn, then {took[0][0]}, not {NODES}")
    _, work, clock = map(median, zip(*took, strict=True))
    return {"first drawing": first, "edit": work, "clock": clock}


def _edit(page: Page, session: CDPSession, k: int) -> tuple[int, float, float]:
    """Return the nodes after an edit, and its milliseconds: processor time, clock."""

    def spent() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return 1000 * sum(m["value"] for m in metrics if m["name"] in PARTS)

    before = spent()
    nodes, clock = page.evaluate(EDIT, program(k))
    return nodes, spent() - before, clock


def main(revisions: list[str]) -> int:
    """Print the least of all rounds; return 1 when one is above its bar."""
    rivals = {"here": None} | {name: former(name) for name in revisions}
    rounds: dict[str, list[Found]] = {name: [] for name in rivals}
    with sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path=find(), args=FLAGS)
        for _ in range(TIMES):
            for name, answer in rivals.items():
                rounds[name].append(measure(browser, answer))
        browser.close()
    held = True
    for row, unit in UNITS.items():
        ours, *theirs = (
            min(found[row] for found in every) for every in rounds.values()
        )
        good = ours <= BARS.get(row, ours)
        held &= good
        ratios = "".join(
            f", {ours / other:.2f} times that of {name}"
            for name, other in zip(revisions, theirs, strict=True)
            if other
        )
        print(f"{'ok  ' if good else 'LOST'} {ours:6.1f} {unit}{ratios}", flush=True)
    return not held


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
