"""Make .venv hold exactly what requirements.lock says; say why when it cannot.

Runs with whatever Python the user has, before anything is installed: it must
parse under every Python 3, so that one that is too old gets a sentence.
"""

import hashlib
import os
import subprocess
import sys

NEEDS = (3, 11)
VENV = ".venv"
LOCK = "requirements.lock"
STAMP = os.path.join(VENV, "locked")


def main() -> int:
    """Bring .venv up to date; return an exit status."""
    if sys.version_info < NEEDS:
        return _stop(
            "Python {}.{} is too old: this project needs {}.{} or later.".format(
                *(sys.version_info[:2] + NEEDS)
            ),
            "Install a newer one and name it: make PYTHON=python3.12",
        )
    wanted = _fingerprint()
    if _read(STAMP) == wanted:
        return 0
    if os.path.islink(VENV):  # --clear would empty the folder that it leads to
        return _stop(
            "{} is a link to {}, and would be emptied.".format(VENV, os.readlink(VENV)),
            "Remove the link, and give the same command again.",
        )
    return _make_venv() or _install() or _write(STAMP, wanted)


def _fingerprint() -> str:
    """Return a digest of the lock, this Python and this folder."""
    with open(LOCK, "rb") as lock:
        parts = lock.read(), sys.version.encode(), os.getcwd().encode()
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _make_venv() -> int:
    print("Making the environment {}".format(VENV))
    made = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", VENV],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if made.returncode == 0:
        return 0
    return _stop(
        "This Python cannot make environments: " + _last_line(made.stdout),
        "Install its venv module (on Debian and Ubuntu: apt install python3-venv).",
    )


def _install() -> int:
    print("Installing what {} lists (a few minutes the first time)".format(LOCK))
    command = [_python(), "-m", "pip", "install", "--quiet", "--requirement", LOCK]
    command += ["--disable-pip-version-check"]
    index = os.environ.get("TORCH_INDEX")
    if index:
        command += ["--extra-index-url", index]
    done = subprocess.run(command, stderr=subprocess.PIPE)
    if done.returncode == 0:
        return 0
    return _stop(
        "Installing failed: " + _last_line(done.stderr),
        "Check the network (or the proxy in HTTPS_PROXY) and the disk, "
        "then give the same command again.",
    )


def _python() -> str:
    return os.path.join(VENV, "bin", "python")


def _last_line(output: bytes) -> str:
    """Return the last line that says what went wrong."""
    lines = [line.strip() for line in output.decode(errors="replace").splitlines()]
    errors = [line for line in lines if line.upper().startswith("ERROR")]
    return (errors or [line for line in lines if line] or ["no message"])[-1]


def _read(path: str) -> "str | None":
    if not os.path.exists(path):
        return None
    with open(path) as file:
        return file.read()


def _write(path: str, text: str) -> int:
    with open(path, "w") as file:
        file.write(text)
    return 0


def _stop(what: str, remedy: str) -> int:
    sys.stderr.write("{}\n{}\n".format(what, remedy))
    return 1


if __name__ == "__main__":
    sys.exit(main())
