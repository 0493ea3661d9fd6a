"""Numbers as text: what a drawing shows of them is true, or visibly left out."""

import pytest
import torch

from torchutils.values import numbers, show

CASES = [
    (torch.tensor([0.0, 4.0, 8.0]), "[0, 4, 8]"),
    (torch.tensor(1 / 3), "0.3333"),
    (torch.tensor(-0.0), "-0"),
    (torch.tensor(12345.0), "12345"),
    (torch.tensor(204800.0), "204800"),
    (torch.tensor(1e-9), "1e-09"),
    (torch.tensor(float("nan")), "nan"),
    (torch.tensor([True, False]), "[True, False]"),
    (torch.tensor(1 + 2j), "1+2j"),
    (torch.full((3, 2), 46.5), "[[46.5, 46.5], [46.5, 46.5], [46.5, 46.5]]"),
    (
        torch.arange(8) / 7,
        "[0, 0.1429, 0.2857, …, 0.8571, 1]",
    ),
]


@pytest.mark.parametrize(("tensor", "text"), CASES)
def test_text_of_numbers(tensor, text):
    assert show(numbers(tensor, 8)) == text


def test_long_text_loses_numbers_but_no_digits():
    """46.5 was once shown as 46 where a matrix was too wide."""
    matrix = torch.tensor([[46.5, 46.5], [61.5, 61.5], [76.5, 76.5]]) + 100
    shown = show(numbers(matrix, 8), width=30)
    kept = {word.strip("[]") for word in shown.split(", ")} - {"…"}
    assert kept <= {"146.5", "161.5", "176.5"}
    assert "…" in shown


@pytest.mark.parametrize(
    "sizes", [(2, 4), (4, 2), (3, 2), (8, 1), (1, 8), (2, 2, 2), (2, 1, 4), (4, 1, 2)]
)
def test_text_that_leaves_numbers_out_closes_what_it_opens(sizes):
    torch.manual_seed(0)
    text = show(numbers(torch.randn(sizes), 8))
    assert "…" in text
    first, last = text.split("…")
    opened, closed = ((t.count("[") - t.count("]")) for t in (first, last))
    assert opened == -closed > 0
