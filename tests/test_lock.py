"""What of a lock is kept when something is added."""

import pytest

from coursebuild.commands.lock import kept

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
