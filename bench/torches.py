"""Run torchutils' tests under other releases of torch, one environment at a time.

``python bench/torches.py 2.9.1 2.15.0``, or all that are known.  Each environment,
some 7 GB, is made in the temporary folder and removed before the next.  Writes the
rows of ``docs/torches.txt``, which "Drawing graphs" shows.  Exit code 1: a test failed.
"""

import re
import sys

from environments import ROOT, Environment, environment

TABLE = ROOT / "docs" / "torches.txt"
VERSIONS = ("2.5.1", "2.6.0", "2.9.1", "2.10.0", "2.13.0", "2.14.1", "2.15.0")
BESIDE = ("numpy", "pygraphviz>=2.0.4", "pytest", "hypothesis", "hatchling")
HEAD = """\
| PyTorch | tests passed | failed | not run: they look at what is saved |
|---|---|---|---|
"""
ROW = re.compile(r"\| (\d+\.\d+\.\d+) \|.*\n")
SHOWN = "from torchutils.saved import SHOWN; exit(not SHOWN)"
PYTEST = ["-q", "--noconftest", "-p", "no:cacheprovider"]
PYTEST += ["-o", "addopts=", "-o", "filterwarnings="]
TESTS = sorted(ROOT.glob("tests/test_torchutils_*.py"))


def row(torch: Environment) -> str:
    """Run the tests under a release, and return its row."""
    shown = torch.run("-c", SHOWN, check=False)
    chosen = ["-m", "not saved"] if shown.returncode else []
    done = torch.run("-m", "pytest", *PYTEST, *chosen, *TESTS, check=False)
    print(done.stdout[-3000:], done.stderr[-1000:], flush=True)
    last = (done.stdout.splitlines() or [""])[-1]
    words = ("passed", "failed", "deselected")
    counts = [re.search(rf"(\d+) {word}", last) for word in words]
    passed, failed, left = (int(c[1]) if c else 0 for c in counts)
    if not passed or " error" in last:
        raise SystemExit(f"torch {torch.version}: the tests did not run")
    return f"| {torch.version} | {passed} | {failed} | {left} |\n"


def written(rows: dict[str, str]) -> str:
    """Return the table with these rows in it, and the older ones of other releases."""
    old = TABLE.read_text("utf-8") if TABLE.exists() else ""
    known = {m[1]: m[0] for m in ROW.finditer(old)} | rows
    order = sorted(known, key=lambda v: [int(n) for n in v.split(".")])
    return HEAD + "".join(known[v] for v in order)


def main(versions: list[str]) -> int:
    """Run all, and write what was seen after each."""
    failed = False
    for version in versions:
        with environment(version, BESIDE) as torch:
            found = row(torch)
        TABLE.write_text(written({version: found}), "utf-8")
        print(found, flush=True)
        failed |= found.split("|")[3].strip() != "0"
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or list(VERSIONS)))
