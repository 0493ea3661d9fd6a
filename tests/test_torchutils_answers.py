"""The check of a student's numbers: as the site compares, and telling no answer."""

import inspect
import re

import pytest
import torch

from coursecheck import asks
from torchutils import answer_key, answers, check_answer

KEY = answer_key([0.0, 4.0, 8.0, 12.0])


@pytest.mark.parametrize(
    "answer",
    [
        [0, 4, 8, 12],
        (0.0009, 4.004, 8.0, 11.99),
        [[0, 4], [8, 12]],
        torch.tensor([0.0, 4.0, 8.0, 12.0], requires_grad=True),
        torch.tensor([4j, 8 + 12j]),
        torch.tensor([[0.0, 4.0], [8.0, 12.0]]).numpy(),
    ],
)
def test_right_numbers_are_right_in_any_form(answer):
    assert check_answer(answer, KEY)
    assert repr(check_answer(answer, KEY)) == "✓ Right: all 4 numbers."


class Odd:
    """What a student did not mean to hand in."""

    def __repr__(self):
        raise RuntimeError("no repr")


class Unread(Odd):
    def tolist(self):
        raise RuntimeError("no list")


ITSELF: list[object] = []
ITSELF.append(ITSELF)
UNREADABLE = "This cannot be read: write numbers, as in [1, 2.5]."
WRONG = [
    (..., "No answer yet: write yours in place of the dots."),
    ([0, 4, ..., 12], "Dots are left: write a number in place of them."),
    ([0, 4, 8], "Here are 3 numbers, and this cell compares 4."),
    (4, "Here is 1 number, and this cell compares 4."),
    ([0, 5, 8, 12.1], "Not right yet: the 2nd, 4th of 4 numbers."),
    ([[0, 4], [9, 12]], "Not right yet: the 3rd of 4 numbers."),
    (range(4), "Not right yet: the 2nd, 3rd, 4th of 4 numbers."),
    (torch.eye(2).to_sparse(), "Not right yet: the 1st, 2nd, 3rd, 4th of 4 numbers."),
    ([0, 4, 8, float("nan")], "Not right yet: the 4th of 4 numbers."),
    (None, "None is no number: write as in [1, 2.5]."),
    ([True] * 4, "True is no number: write as in [1, 2.5]."),
    ({0: 4}, "{0: 4} is no number: write as in [1, 2.5]."),
    ("0, 4, 8, 12", "'0, 4, 8, 12' is text: leave out the quotes."),
    (torch.empty(4, device="meta"), UNREADABLE),
    (torch.Tensor, UNREADABLE),
    (ITSELF, UNREADABLE),
    (10**400, UNREADABLE),
    (Unread(), UNREADABLE),
]


@pytest.mark.parametrize(("answer", "says"), WRONG)
def test_wrong_answer_is_told_which_entry(answer, says):
    verdict = check_answer(answer, KEY)
    assert not verdict
    assert verdict.text == says
    assert says.replace("'", "&#x27;") in verdict._repr_html_()


@pytest.mark.parametrize("odd", [Odd(), [Odd()], torch.nn.Linear(9, 9), print, [[{}]]])
def test_nonsense_gets_a_verdict(odd):
    assert "is no number: write as in [1, 2.5]." in check_answer(odd, KEY).text


def test_digit_too_few_is_told():
    key = answer_key([0.731059, 1.0])
    says = "Almost, a digit is missing: the 1st of 2 numbers."
    assert check_answer([0.73, 1], key).text == says


def test_single_number_has_no_entries():
    assert check_answer(2, answer_key(3)).text == "Not right yet."
    assert check_answer(3, answer_key(3)).text == "Right."


def test_no_verdict_tells_a_number():
    key = answer_key([0.123456, 77.5])
    answers = [..., [1, 2], [0.123456, 1], [0.12, 77.5], 5, [1, 2, 3], "x", [0.1, None]]
    verdicts = [check_answer(answer, key) for answer in [*answers, Odd(), torch.Tensor]]
    said = [
        re.sub("0x[0-9a-f]+", "", f"{it!r} {vars(it)} {it._repr_html_()}")  # of Odd
        for it in verdicts
    ]
    assert not [text for text in said if "0.123" in text or "77" in text]


def test_key_shows_no_number():
    assert not [d for d in ("27", "2.7", "0.5") if d in answer_key([27.0, 0.5])]


@pytest.mark.parametrize("key", ["", "x", KEY[:-4], "Z" + KEY[1:], "é"])
def test_damaged_key_is_refused(key):
    assert key != KEY
    with pytest.raises(ValueError, match="this key is damaged: copy the cell"):
        check_answer([0, 4, 8, 12], key)


@pytest.mark.parametrize("numbers", [[], float("inf"), [1, float("nan")]])
def test_key_needs_finite_numbers(numbers):
    with pytest.raises(ValueError, match="one finite number or more"):
        answer_key(numbers)


def test_site_and_notebooks_have_one_tolerance():
    assert asks.TOLERANCE == answers.TOLERANCE
    assert inspect.getsource(asks.near) == inspect.getsource(answers.near)
