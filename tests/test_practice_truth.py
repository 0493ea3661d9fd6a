"""The exercises of the practice page against torch: six kinds, four levels, 600."""

import re
import warnings
from collections import defaultdict
from itertools import pairwise
from statistics import mean

import pytest
import torch
from playwright.sync_api import Page
from test_browser import ROOT

from coursebuild.extension.site_files import JOINED

STATIC = ROOT / "docs/_static"
PARTS = JOINED["practice"][:-1]  # all but the page
FILES = ["numbers.js", *(f"playground/{name}.js" for name in PARTS)]
KINDS = ["read", "next", "paths", "shapes", "none", "wrong"]
LEVELS, SEEDS = [1, 2, 3, 4], range(1, 26)

# What the question shows: the program's lines, the sentence, the drawing's numbers.
MAKE = """([kind, level, seeds]) => seeds.map((seed) => {
  const made = exercises.make(kind, level, seed);
  const result = playground.run(made.program);
  const text = (html) => new DOMParser().parseFromString(html, "text/html").body;
  const drawn = made.see.draw && drawing.draw(result, 600, made.see.draw);
  const values = drawn ? [...text(drawn.words).querySelectorAll("b"),
    ...text(drawn.svg).querySelectorAll("[data-v]")] : [];
  return { ...made, shown: [...(made.see.program ? made.program.split("\\n") : []),
      String(made.claimed ?? ""), ...values.map((it) => it.textContent)],
    near: made.cards.map(([, numbers]) => nearNumbers(made.answer, numbers)),
    steps: made.what == "shape" ?
      result.nodes.flatMap((n) => n.leaf ? [] : n.shape).length :
      result.nodes.flatMap((n) => n.leaf ? [] : [...n.value]).length +
      result.steps.flatMap((step) => [...step.contribution]).length };
})"""


@pytest.fixture(scope="module")
def page(browser):
    page = browser.new_page()
    for name in FILES:
        page.add_script_tag(path=STATIC / name)
    yield page
    page.close()


@pytest.fixture(scope="module")
def made(page: Page) -> list[dict]:
    all_ = [(kind, level, [*SEEDS]) for kind in KINDS for level in LEVELS]
    return [one for args in all_ for one in page.evaluate(MAKE, args)]


@pytest.fixture(scope="module")
def prelude(page: Page) -> str:
    return page.evaluate("playground.PRELUDE")


def run(program: str, prelude: str) -> dict:
    """Run a program as torch does, with the gradients of all that is on the way."""
    names: dict = {}
    dtype = torch.get_default_dtype()
    try:
        exec(prelude, names)
        exec(program, names)
    finally:
        torch.set_default_dtype(dtype)
    return {n: v for n, v in names.items() if isinstance(v, torch.Tensor)}


def paths(y: torch.Tensor, x: torch.Tensor) -> int:
    """Count them in the graph that torch has recorded."""

    def count(node) -> int:
        if getattr(node, "variable", None) is x:
            return 1
        return sum(count(n) for n, _ in node.next_functions if n)

    return count(y.grad_fn)


def flat(tensor: torch.Tensor) -> list[float]:
    return tensor.detach().flatten().tolist()


def answer(made: dict, prelude: str) -> list[float]:
    """Return what torch answers."""
    names = run(made["program"], prelude)
    asked, what = names.get(made["name"]), made["what"]
    if what == "paths":
        return [paths(names["y"], asked)]
    if what == "value":
        return flat(names["y"])
    if what == "shape":
        return [*asked.shape]
    if what == "adjoint":
        return flat(torch.autograd.grad(names["y"], asked)[0])
    names["y"].backward()
    if what == "none":
        with warnings.catch_warnings(action="ignore"):  # of .grad of what is no leaf
            return [names[n].grad is None for n in made["name"].split(", ")]
    if what == "grad":
        return flat(asked.grad)
    return wrong_entry(torch.tensor(made["claimed"]), asked.grad)


def wrong_entry(claimed: torch.Tensor, right: torch.Tensor) -> list[float]:
    claimed = claimed.reshape(right.shape)
    (place,) = (claimed != right).nonzero().tolist()
    return [*place, right[tuple(place)].item()]


def test_answers_are_those_of_torch(made, prelude):
    assert len(made) == 600
    wrong = [m for m in made if answer(m, prelude) != m["answer"]]
    assert wrong == []


def test_every_kind_asks_for_what_it_says(made):
    asked = defaultdict(set)
    for m in made:
        asked[m["kind"]].add(m["what"])
    assert asked == {
        "read": {"value", "paths"},
        "next": {"adjoint"},
        "paths": {"grad"},
        "shapes": {"shape", "grad"},
        "none": {"none"},
        "wrong": {"entry", "cell"},
    }


def test_mistakes_lead_elsewhere_and_each_to_its_own_numbers(made):
    for m in made:
        assert len(m["cards"]) >= 2, m
        assert not any(m["near"]), m
        numbers = [tuple(n) for _, n in m["cards"]]
        assert len({*numbers}) == len(numbers), m


def numbers(text: str) -> list[float]:
    text = re.sub(r"[A-Za-z_]\w*", "", text)  # dim0 names no number
    return [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?", text)]


def holds(shown: list[float], part: list[float]) -> bool:
    return any(shown[k : k + len(part)] == part for k in range(len(shown)))


def test_no_answer_stands_in_its_own_question(made):
    for m in made:
        part = m["answer"][-1:] if "claimed" in m else m["answer"]
        assert m["shown"], m
        assert not [t for t in m["shown"] if holds(numbers(t), part)], m


def test_levels_differ_in_what_there_is_to_compute(made):
    steps = defaultdict(list)
    for m in made:
        steps[m["kind"], m["level"]].append(m["steps"])
    for kind in KINDS:
        means = [mean(steps[kind, level]) for level in LEVELS]
        assert all(b > 1.1 * a for a, b in pairwise(means)), (
            kind,
            means,
        )


def test_exercise_is_made_by_its_seed_alone(page: Page, made):
    again = [
        page.evaluate(MAKE, (m["kind"], m["level"], [m["seed"]])) for m in made[::40]
    ]
    assert [[m] for m in made[::40]] == again
    assert len({m["program"] + m["name"] for m in made}) > 550


def test_numbers_are_such_that_one_can_do_them_in_the_head(made):
    assert all(abs(x) <= 99 and 4 * x == int(4 * x) for m in made for x in m["answer"])
    assert all(len(m["program"].splitlines()) <= 14 for m in made)
