"""Let Lighthouse judge pages on a slow phone, and hold its scores.

``python -m bench lighthouse`` needs Node 20 or later, npm and Chromium; the site is
served compressed, from this machine.  ``python bench/lighthouse.py PAGE ...`` judges
other pages than the three that stand for all.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "build" / "html"
PACKAGE = "lighthouse@12.8.2"  # the newest that runs on Node 20
PAGES = (
    "index.html",
    "lessons/0_basics/10_gradients_with_pytorch.html",
    "lessons/index.html",
)
BARS = {"performance": 98, "accessibility": 100, "best-practices": 100, "seo": 100}
TIMES = 3  # of which the median counts: performance depends on the machine's mood
FLAGS = "--headless=new --no-sandbox --disable-gpu --disable-quic"
sys.path.insert(0, str(ROOT / "tests"))

from chromium import find  # noqa: E402
from gzipped import gzipped  # noqa: E402


def missing() -> list[str]:
    """Return a sentence for each thing without which nothing can be judged."""
    needs = {
        "Lighthouse needs Node 20 or later: apt install nodejs": shutil.which("node"),
        "Lighthouse comes with npm: apt install npm": shutil.which("npm"),
        "Lighthouse needs Chromium: apt install chromium": find(),
        "There is no site to judge: make html": (SITE / "index.html").exists(),
    }
    return [sentence for sentence, found in needs.items() if not found]


def install() -> Path:
    """Install Lighthouse beside the rivals' environments, once; return its script."""
    folder = Path(tempfile.gettempdir(), PACKAGE.replace("@", "-"))
    script = folder / "node_modules" / "lighthouse" / "cli" / "index.js"
    if not (folder / "ready").exists():
        command = ["npm", "install", "--silent", "--no-audit", "--no-fund"]
        subprocess.run([*command, "--prefix", str(folder), PACKAGE], check=True)
        (folder / "ready").touch()
    return script


def judge(script: Path, url: str) -> dict:
    """Return Lighthouse's report on a page: its mobile preset, an empty cache."""
    command = ["node", str(script), url, "--quiet", "--output=json"]
    command += [f"--only-categories={','.join(BARS)}", "--no-enable-error-reporting"]
    command += [f"--chrome-flags={FLAGS}"]
    environment = {**os.environ, "CHROME_PATH": find()}
    done = subprocess.run(command, env=environment, check=True, capture_output=True)
    return json.loads(done.stdout)


def scores(reports: list[dict]) -> dict[str, float]:
    """Return the median of each category's scores, in percent.

    Raises:
        ValueError: Lighthouse gave no score.
    """
    found = {}
    for name in BARS:
        values = [report["categories"][name]["score"] for report in reports]
        if None in values:
            raise ValueError(f"Lighthouse gave no score for {name}")
        found[name] = round(statistics.median(values) * 100)
    return found


def complaints(report: dict) -> list[str]:
    """Return the audits that cost points, each with its title."""
    weights = {
        ref["id"]: ref["weight"]
        for category in report["categories"].values()
        for ref in category["auditRefs"]
    }
    return [
        f"{audit['id']}: {audit['title']} {audit.get('displayValue', '')}".strip()
        for audit in report["audits"].values()
        if weights.get(audit["id"])
        and (audit["score"] or 0) < 0.9
        and audit["scoreDisplayMode"] not in ("notApplicable", "manual", "informative")
    ]


def main() -> int:
    """Print each page's scores; return 1 when one is below its bar."""
    if sentences := missing():
        print("\n".join(sentences))
        return 1
    script, held = install(), True
    with gzipped(SITE) as address:
        for page in sys.argv[1:] or PAGES:
            reports = [judge(script, address + page) for _ in range(TIMES)]
            found = scores(reports)
            good = all(found[name] >= bar for name, bar in BARS.items())
            held &= good
            line = ", ".join(f"{name} {found[name]}" for name in BARS)
            print(f"{'ok  ' if good else 'LOST'} {page}: {line}", flush=True)
            print("\n".join(f"       {c}" for c in complaints(reports[-1])))
    return not held


if __name__ == "__main__":
    sys.exit(main())
