"""What of a lock is kept when something is added."""

from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from coursebuild.commands.bootstrap import NEEDS
from coursebuild.commands.lock import kept

LOCK = Path(__file__).parents[1] / "requirements.lock"

OLD = "# A lock.\na-b==1.0\nc==2.0rc1\ntorch==2.13.0\n"
PINS = ["a-b==1.0", "c==2.0rc1", "torch==2.13.0"]


@pytest.mark.parametrize(
    ("wanted", "pins"),
    [
        (["new"], PINS),
        (["A_b", "c"], PINS),
        (["a.b>=1,<2", "c>=2.0rc1"], PINS),
        (["A_b>=1.1"], PINS[1:]),
        (["torch==2.14.0; python_version>'3'"], PINS[:2]),
        (["torch[opt]>=2.13"], PINS),
    ],
)
def test_pin_is_kept_unless_another_version_is_asked_for(wanted, pins):
    assert kept(OLD, wanted) == pins


def test_no_lock_pins_nothing():
    assert kept("", ["torch"]) == []


def test_oldest_python_that_is_promised_can_install_the_lock():
    """A later patch release may be all that a package takes: Debian 12 has 3.11.2."""
    oldest = ".".join(map(str, (*NEEDS, 0)))
    lines = [s for s in LOCK.read_text().splitlines() if s and s[0] not in "#-"]
    names = [line.partition("==")[0] for line in lines]
    asked = {n: distribution(n).metadata.get("Requires-Python", "") for n in names}
    assert len(asked) > 50
    assert [n for n, asks in asked.items() if oldest not in SpecifierSet(asks)] == []
