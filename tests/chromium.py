"""See that there is a Chromium to test with; install it where that is possible."""

import os
import shutil
import subprocess
import sys

from coursebuild.books.chromium import NAMES, find


def main() -> int:
    """Install Chromium from Debian's packages when root lacks it."""
    if not find() and shutil.which("apt-get") and os.geteuid() == 0:
        print("Installing Chromium from the system's packages", flush=True)
        _apt("update")
        for name in NAMES[:2]:  # older systems lack the first
            if not find():
                _apt("install", "--yes", name)
    if find():
        return 0
    print("The browser tests need Chromium: sudo apt install chromium", file=sys.stderr)
    return 1


def _apt(*arguments: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "--quiet", "--quiet", *arguments]
    subprocess.run(command, env=environment, check=False, stdout=-3)


if __name__ == "__main__":
    sys.exit(main())
