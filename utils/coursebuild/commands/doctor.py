"""Say what is wrong with this machine, each thing with its remedy: ``make doctor``.

Runs before anything is installed, with whatever Python the user has: it must
parse under every Python 3, like :mod:`coursebuild.commands.bootstrap`.
"""

import fcntl
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile

from coursebuild.commands.bootstrap import LOCK, NEEDS, VENV

PYTHON = os.path.join(VENV, "bin", "python")
BUILDS = os.path.join("build", ".lock")
CHROMIUM = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
)
LITTLE_SHARED = 2**26  # bytes: what containers have, and what Chromium dies of
# The environment's own Python says what is in it, and runs a lesson.
EXAMINE = """
import importlib.metadata, json, re
from coursecheck.stated import Block
from courserun.lesson import Lesson
from courserun.runner import run_lesson
code = "import torch; x = torch.ones(1, requires_grad=True); x.exp().backward()"
run = run_lesson(Lesson("a lesson", (Block("code", code, 1),)))
have = {re.sub("[-_.]+", "-", d.name).lower(): d.version
        for d in importlib.metadata.distributions()}
print(json.dumps([have, run.failure and run.failure.message]))
"""


def main() -> int:
    """Print what is wrong; return an exit status, 0 when all is well."""
    found = _machine() + _unwritable([".", "build", VENV, tempfile.gettempdir()])
    found += _environment() if os.path.exists(PYTHON) else _no_environment()
    print("\n".join(found or ["All is well."]))
    return 1 if found else 0


def _machine() -> "list[str]":
    python = "Python {}.{} is too old. Install {}.{} or later: make PYTHON=python3.12"
    disk = "The disk has {:.1f} GB left. Make room for {:.1f} GB."
    space = shutil.disk_usage(".").free / 1e9, 0.3 if os.path.exists(PYTHON) else 3
    shared = os.statvfs("/dev/shm" if os.path.exists("/dev/shm") else ".")
    checks = {
        python.format(*(sys.version_info[:2] + NEEDS)): sys.version_info < NEEDS,
        disk.format(*space): space[0] < space[1],
        "Python cannot make environments. Debian, Ubuntu: apt install python3-venv": (
            not importlib.util.find_spec("ensurepip")
        ),
        "/dev/shm is too small for Chromium. Start with: docker run --shm-size=1g": (
            shared.f_blocks * shared.f_frsize <= LITTLE_SHARED
        ),
        "`make test` needs Chromium. Debian, Ubuntu: apt install chromium": (
            not any(map(shutil.which, CHROMIUM))
        ),
        "A build is running here. Wait for it, or end it with Ctrl-C.": _is_held(),
    }
    return [sentence for sentence, is_wrong in checks.items() if is_wrong]


def _is_held() -> bool:
    if os.path.isfile(BUILDS):
        with open(BUILDS) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return True
    return False


def _unwritable(folders: "list[str]") -> "list[str]":
    found = []
    for folder in filter(os.path.exists, folders):
        try:
            tempfile.TemporaryFile(dir=folder).close()
        except OSError as error:
            line = "{}: {}. Make it a folder of yours: chown, chmod."
            found.append(line.format(os.path.abspath(folder), error.strerror))
    return found


def _no_environment() -> "list[str]":
    print("There is no environment yet: `make html` makes it.")
    return _index(sys.executable)


def _environment() -> "list[str]":
    """Compare what is installed with the lock; run a lesson."""
    done = subprocess.run([PYTHON, "-c", EXAMINE], stdout=-1, stderr=-1)
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip()[-200:]
        return ["{} does not run: {}. Say: make clean html".format(PYTHON, words)]
    have, failure = json.loads(done.stdout.decode())
    print("torch in the environment: {}".format(have.get("torch", "none")))
    have = {"{}=={}".format(name, have[name].split("+")[0]) for name in have}
    missing = [line for line in _locked() if line not in have]
    found = ["Missing: {}. Say: make html".format(", ".join(missing))][: len(missing)]
    if failure:
        found.append("No lesson can run: {}. Say: make clean html".format(failure))
    return found + (_index(PYTHON) if missing else [])


def _locked() -> "list[str]":
    with open(LOCK) as file:
        return [line.strip() for line in file if "==" in line]


def _index(python: str) -> "list[str]":
    """Ask for a small package as pip would: with its settings, index and proxy."""
    with tempfile.TemporaryDirectory() as folder:
        command = [python, "-m", "pip", "download", "--no-deps", "--dest", folder]
        done = subprocess.run(command + _locked()[-1:], stdout=-1, stderr=-1)
    words = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
    what = "pip cannot fetch packages: {}. Check the network, and HTTPS_PROXY."
    return [what.format(*words)] if done.returncode else []


if __name__ == "__main__":
    sys.exit(main())
