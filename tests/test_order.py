"""The longest tests come first, each once, and those that share stay together."""

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from order import dealt

HERE = Path(__file__).parent
SLOW = """
import time

import pytest


@pytest.fixture(scope="module")
def shared():
    time.sleep(1.2)


@pytest.mark.parametrize("k", range(6))
def test_quick(k):
    pass


def test_first_that_shares(shared):
    pass


def test_long():
    time.sleep(1.4)


def test_last_that_shares(shared):
    pass
"""


@pytest.mark.parametrize("seed", range(20))
def test_each_test_is_handed_out_once_and_the_longest_begin(seed):
    random = Random(seed)
    count, workers = random.randrange(1, 60), random.randrange(1, 6)
    alone = [random.random() < 0.7 for _ in range(count)]
    places = [k if so else random.choice("abcde") for k, so in enumerate(alone)]
    seconds = [random.choice([0, 0, 0, 1, 5, 60]) for _ in range(count)]
    order = dealt(places, seconds, workers)
    assert sorted(order) == [*range(count)]
    took = Counter()
    for place, more in zip(places, seconds, strict=True):
        took[place] += more
    assert took[places[order[0]]] == max(took.values())


def test_no_worker_waits_long_for_another_one():
    seconds = [*[0.0] * 93, 10.0, 4.0, 3.0, 2.0, 5.0, 4.0, 2.0]
    order = dealt(range(100), seconds, 3)
    hands = order[:33], order[33:66], order[66:]
    assert [sum(seconds[n] for n in hand) for hand in hands] == [10, 10, 10]


def test_second_run_begins_with_what_was_long_in_the_first(tmp_path):
    (tmp_path / "test_slow.py").write_text(SLOW)
    (tmp_path / "pytest.ini").write_text("[pytest]")
    command = [sys.executable, "-m", "pytest", "-v", "-p", "order", "-n1"]
    env = os.environ | {"PYTHONPATH": str(HERE)}
    runs = [
        subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)
        for _ in range(2)
    ]
    first, second = (re.findall(r"PASSED \S+::(\S+)", run.stdout) for run in runs)
    assert first[0] == "test_quick[0]", runs[0]
    assert {*second[:3]} == {"test_long", *(t for t in first if "shares" in t)}
    assert sorted(first) == sorted(second)
