"""What a text asks its reader: which numbers the run gives, and what it refuses."""

from __future__ import annotations

import pytest
from test_cells import NAME, message, run

from coursecheck.asks import near
from coursecheck.questions import shown
from courserun.lesson import Run

CODE = (
    "import torch\nx = torch.tensor([0.1, -2.0], requires_grad=True)\ny = (x * x).sum()"
)
BACKWARD = "y.backward()"
ANSWER = "It is 2x, so 0.2 and −4."


def box(ask: str, *wrongs: str, answer: str = ANSWER, says: str = "Why.") -> str:
    """Write a text with a prediction."""
    text = (
        f"text:\n.. predict::\n\n   .. ask:: {ask}\n\n   .. answer::\n\n      {answer}"
    )
    for wrong in wrongs:
        text += f"\n\n      .. wrong:: {wrong}\n\n         {says}"
    return text + "\n"


def test_numbers_are_those_after_the_next_cell():
    done = run(CODE, box("x.grad", "x.grad / 2", "[1, 2, 3]"), BACKWARD)
    assert done.failure is None
    assert [(a.kind, a.expression, a.line) for a in done.asked] == [
        ("ask", "x.grad", 8),
        ("wrong", "x.grad / 2", 14),
        ("wrong", "[1, 2, 3]", 18),
    ]
    right, half, other = (a.numbers for a in done.asked)
    assert right == (0.20000000298023224, -4.0)  # what float32 holds, digit by digit
    assert half == (0.10000000149011612, -2.0)
    assert other == (1.0, 2.0, 3.0)


def test_numbers_survive_the_store():
    done = run(CODE, box("x.grad", "x"), BACKWARD)
    assert Run.from_json(done.to_json()) == done
    assert len(done.asked) == 2


def test_a_text_between_is_no_cell():
    done = run(CODE, box("x.grad"), "text:More.", BACKWARD, "x = 3")
    assert [a.numbers for a in done.asked] == [(0.20000000298023224, -4.0)]


def test_statements_alone_evaluate_it_too():
    assert run(CODE, box("x.grad"), BACKWARD, only_statements=True).asked
    assert run(CODE, box("nope"), BACKWARD, only_statements=True).failure


def test_asking_leaves_the_lesson_alone():
    looks = "y, x.grad, torch.rand(2)"
    expression = "(print(1), (x * x).sum() * 0 + torch.rand(1) * 0 + x.grad)[1]"
    plain = run(CODE, "text:None.", BACKWARD, looks)
    asked = run(CODE, box(expression), BACKWARD, looks)
    assert asked.failure is None
    assert asked.outputs == plain.outputs


@pytest.mark.parametrize(
    ("expression", "answer", "numbers"),
    [
        ("2", "Two.", (2.0,)),
        ("[x[0].detach(), (3, 4.5)]", "0.1, then 3 and 4.5", (0.1, 3.0, 4.5)),
        ("torch.eye(2)", "1 and 0", (1.0, 0.0, 0.0, 1.0)),
        ("torch.tensor([2, 3])", "Two, three", (2.0, 3.0)),
        ("[\n         2,\n         3]", "2 and 3", (2.0, 3.0)),
        ("[a for a in [2, 3] if x is not None]", "2 and 3", (2.0, 3.0)),
    ],
)
def test_values_of_each_kind_have_numbers(expression, answer, numbers):
    done = run(CODE, box(expression, answer=answer), BACKWARD)
    assert done.failure is None
    assert done.asked[0].numbers == pytest.approx(numbers)


REFUSED = {
    "raises": ("w.grad", "NameError: name 'w' is not defined"),
    "no expression": ("x +", "SyntaxError"),
    "a statement": ("x = 3", "SyntaxError"),
    "none": ("w0.grad", "it gives None, which is no number"),
    "a truth": ("x.requires_grad", "it gives True, which is no number"),
    "a word": ("'4'", "it gives '4', which is no number"),
    "complex": ("torch.ones(1) * 1j", "which is no number"),
    "not finite": ("x.log()", "it has nan in it"),
    "infinite": ("1 / torch.zeros(1)", "it has inf in it"),
    "nothing": ("[]", "it has 0 numbers"),
    "too much": ("torch.ones(13)", "it has 13 numbers"),
    "changes": ("x.detach().zero_()", "it changes the value of x"),
    "adds": (
        "(x * x).sum().backward() or x.grad",
        "it changes the value of .grad of x",
    ),
    "warns": ("(x * 2).grad", "UserWarning"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_expression_is_refused(kind):
    expression, words = REFUSED[kind]
    code = CODE + "\nw0 = torch.ones(1)"
    text = message(code, box(expression), BACKWARD)
    assert text.startswith(f"{NAME}:9\n  .. ask:: {expression}\n  ")
    assert words in text
    assert "one Python expression of the lesson's variables" in text


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (box("x.grad", "2 * x"), 12, ".. wrong:: 2 * x\n  is the same as `x.grad`"),
        (box("x.grad", "x.grad * 1.0004"), 12, "is the same as `x.grad`: (0.20008, −4"),
        (box("x.grad", "x.grad * 1.002"), 12, "is the same as `x.grad`: (0.2004, −4"),
        (box("x.grad", "x", "x + 0"), 16, "is the same as `x`: (0.1, −2)"),
        (box("x.grad", "x", says=""), 12, "has no text: explain what went wrong"),
        (box("x.grad", answer="It is 2x: 0.2."), 6, "(0.2, −4), and its answer does n"),
        (box("x.grad", answer="0.2, 4", says=""), 6, "its answer does not say -4"),
        (box("x.grad", "-x", answer="0.2", says="−4"), 6, "does not say -4"),
        ("text:\n.. ask:: x.grad\n", 4, "needs an answer directly below it"),
        ("text:\n.. ask:: y\n\n.. ask:: x.grad\n", 4, "needs an answer directly below"),
        (
            "text:\n.. predict::\n\n   .. ask:: x\n\n.. answer::\n\n   0.2, −4.\n",
            6,
            "needs an answer directly below it",
        ),
        (
            "text:\n.. answer::\n\n   .. wrong:: x\n\n      Why.\n",
            6,
            "above this answer stands no `ask`",
        ),
        (
            box("x.grad") + "\nAfter.\n\n   .. wrong:: x\n\n      Why.\n",
            14,
            "belongs inside an answer",
        ),
    ],
)
def test_box_is_refused(text, line, words):
    found = message(CODE, text, BACKWARD)
    assert found.startswith(f"{NAME}:{line + 2}\n")
    assert words in found


def test_question_that_no_cell_follows_is_refused():
    text = message(CODE, BACKWARD, box("x.grad"))
    assert "is evaluated after the next code cell, and none follows" in text


def test_directive_in_a_literal_block_asks_nothing():
    text = "text:\nLike this::\n\n   .. ask:: x.grad\n"
    done = run(CODE, text, BACKWARD)
    assert (done.failure, done.asked) == (None, ())


@pytest.mark.parametrize(
    ("given", "wanted", "expected"),
    [
        ((0.0009,), (0.0,), True),
        ((0.0011,), (0.0,), False),
        ((1000.9,), (1000.0,), True),
        ((1001.1,), (1000.0,), False),
        ((-1.0,), (1.0,), False),
        ((1.0, 1.0), (1.0,), False),
    ],
)
def test_tolerance_is_absolute_below_one_and_relative_above(given, wanted, expected):
    assert near(given, wanted) is expected


def test_numbers_are_shown_as_a_reader_writes_them():
    assert shown((0.20000000298023224, -4.0)) == "(0.2, −4)"


def test_page_that_asks_without_a_run_stops_the_build(site):
    page = "# Page\n\n```{ask} x.grad\n```\n\n```{answer}\nIt is 4.\n```\n"
    site.write("docs/page.md", page)
    done = site.build()
    assert done.code != 0
    assert "what it asks is not what its run evaluated" in done.error


def test_faults_of_all_boxes_are_told_in_one_run():
    boxes = box("nope", "gone"), box("x.grad", answer="5"), "text:\n.. ask:: x\n"
    found = message(CODE, *boxes, "text:\nAnd :math:`y = 9`.\n", BACKWARD, box("y"))
    told = ("'nope'", "'gone'", "does not say", "directly below it", "y = 9", "follows")
    assert [words for words in told if words not in found] == []
