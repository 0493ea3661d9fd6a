"""Measure what its arguments name: ``python -m bench checking drawing``, or all."""

import subprocess
import sys
from pathlib import Path

KNOWN = ("drawing", "pictures", "checking", "building", "playground", "lighthouse")

for name in sys.argv[1:] or KNOWN:
    if name not in KNOWN:
        sys.exit(f"{name} is no benchmark. There are: {', '.join(KNOWN)}")
    script = Path(__file__).with_name(f"{name}.py")
    subprocess.run([sys.executable, script], check=True)
