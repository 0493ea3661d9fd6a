"""Pictures that a reader moves: what their table says, at each position."""

import json
import re

import pytest
import torch

from torchutils import MovingPlot
from torchutils.layout import text_width
from torchutils.plot import Frame, arrow_path, dots_path, line_path, ticks

BOX = Frame(0, 1, 0, 1, 100, 100)
NAN, INF = float("nan"), float("inf")


def plot(**more) -> MovingPlot:
    """Make a picture of two rates."""
    return MovingPlot({"rate": [0.1, 0.5]}, "A walk", xlim=(0, 1), ylim=(0, 1), **more)


def data(picture: MovingPlot) -> dict:
    html = picture._repr_html_()
    return json.loads(re.search(r'class="mv-data">(.*?)</script>', html)[1])


@pytest.mark.parametrize(
    ("points", "path"),
    [
        ([(0, 0), (1, 1)], "M0 100l100 -100"),
        ([(0, 0), (0.5, 0), (1, 1)], "M0 100l50 0l50 -100"),
        ([(-1, 0.5), (2, 0.5)], "M0 50l100 0"),
        ([(-1, -1), (2, 2)], "M0 100l100 -100"),
        ([(0.5, 0.5), (0.5, 9)], "M50 50l0 -50"),
        ([(0, 2), (1, 2)], ""),
        ([(2, 0), (2, 1)], ""),
        ([(0, 2), (2, 0.5)], ""),
        ([(0, 0), (NAN, 0), (1, 0), (1, 1)], "M100 100l0 -100"),
        ([(0, 0), (0.5, INF), (1, 0)], ""),
        ([(0.5, 0), (0.5, 2), (0.6, 2), (0.6, 0)], "M50 100l0 -100M60 0l0 100"),
        ([(0, 0), (0.001, 0), (1, 0)], "M0 100l0 0l100 0"),
    ],
)
def test_line_is_cut_at_the_border(points, path):
    assert line_path(BOX, points) == path


def test_dots_outside_of_the_plot_are_left_out():
    points = [(0.5, 0.5), (1.5, 0.5), (NAN, 0), (1, 1)]
    assert dots_path(BOX, points) == "M50 50h0M100 0h0"


@pytest.mark.parametrize(
    ("tip", "path"),
    [
        ((0, 0), "M0 100l0 0"),
        ((NAN, 0), ""),
        ((0, 1), "M0 100l0 -100M-38 90L0 0M38 90L0 0"),
    ],
)
def test_arrow_has_a_head_where_there_is_room(tip, path):
    assert arrow_path(BOX, (0, 0), tip) == path


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0.5, 3.5, [1, 2, 3]),
        (-0.1, 0.1, [-0.1, -0.05, 0, 0.05, 0.1]),
        (0, 5e6, [0, 1e6, 2e6, 3e6, 4e6, 5e6]),
    ],
)
def test_ticks_are_round_numbers(low, high, expected):
    assert ticks(low, high) == expected


@pytest.mark.parametrize("high", [2.5, 200, 5e6])
def test_number_at_the_right_end_is_not_cut(high):
    picture = MovingPlot({"x": [1, 2]}, "Wide", xlim=(0, high), ylim=(0, 1))
    picture.point(torch.tensor([0.0, high]), 0)
    picture.say("At {x:g}.", x=[1, 2])
    svg = re.sub(r"(?s).*?<svg", "<svg", picture._repr_html_(), count=1)
    numbers = re.findall(r'x="([\d.]+)" [^>]* text-anchor="middle">([^<]+)<', svg)
    assert numbers
    for place, number in numbers:
        assert 40 + float(place) + text_width(number, 12) / 2 <= 320.05


def test_what_has_a_row_for_each_position_moves():
    picture = plot()
    picture.line([0, 1], [0, 1])
    picture.line([0, 1], [[0, 0], [1, 1]])
    picture.point([0.5, 1], 0)
    picture.point(1, 1)
    picture.say("So.")
    assert data(picture)["marks"] == [
        ["M0 1768l2720 0", "M0 0l2720 0"],
        ["M1360 1768h0", "M2720 1768h0"],
    ]
    assert picture._repr_html_().count("data-row") == 3  # and the rim for fingers


def test_second_quantity_moves_fastest():
    values = {"a": [0, 1], "b": [0, 1, 2]}
    picture = MovingPlot(values, "A place", xlim=(0, 1), ylim=(0, 2))
    a, b = torch.meshgrid(torch.arange(2.0), torch.arange(3.0), indexing="ij")
    picture.point(a, b, "here")
    picture.say("At {place}, {half:.1f}.", place=torch.stack([a, b], -1), half=b / 2)
    found = data(picture)
    assert found["at"] == [["0", "1"], ["0", "1", "2"]]
    assert found["words"][0][3:5] == ["[1, 0]", "[1, 1]"]
    assert found["words"][1] == ["0.0", "0.5", "1.0"] * 2
    assert found["marks"][0][5] == "M2720 0h0"


@pytest.mark.parametrize(
    "given",
    [
        [torch.tensor(0.25), torch.tensor(0.75)],
        torch.tensor([0.25, 0.75], requires_grad=True),
        (0.25, 0.75),
        torch.tensor([0.25, 0.75], dtype=torch.float64).numpy(),
    ],
)
def test_numbers_come_as_tensors_or_lists(given):
    picture = plot()
    picture.say("It is {y}.", y=given)
    assert str(picture).splitlines()[1:] == ["rate     y", " 0.1  0.25", " 0.5  0.75"]


def test_words_may_differ_between_positions():
    picture = plot()
    picture.say("It {does}.", does=["converges", "<diverges>"])
    assert data(picture)["words"] == [["converges", "<diverges>"]]
    assert "&lt;diverges&gt;" in picture._repr_html_()


def test_picture_begins_where_it_is_told_to():
    picture = plot(start={"rate": 0.5})
    picture.point([0, 1], 0)
    picture.say("It is {y}.", y=[3, 4])
    html = picture._repr_html_()
    assert '<path d="M2720 1768h0"' in html
    assert 'value="1"></label><output aria-live="off">0.5</output>' in html
    assert "It is <b>4</b>." in html
    assert 'aria-label="A walk, rate = 0.5. It is 4."' in html


@pytest.mark.parametrize(("count", "rows"), [(20, 20), (60, 20)])
def test_table_has_some_positions_with_the_first_and_the_last(count, rows):
    positions = {"k": range(count)}
    picture = MovingPlot(positions, "Many", xlim=(0, 1), ylim=(0, 1))
    picture.say("{k}", k=range(count))
    lines = str(picture).splitlines()[2:]
    assert len(lines) == rows
    assert [int(lines[0].split()[0]), int(lines[-1].split()[0])] == [0, count - 1]


def test_one_number_for_all_is_no_column_of_the_table():
    picture = plot()
    picture.say("{y} in a step of {size}", y=[1, 2], size=0.1)
    assert str(picture).splitlines()[1:] == ["rate  y", " 0.1  1", " 0.5  2"]
    assert data(picture)["words"] == [["1", "2"], ["0.1", "0.1"]]


def test_table_of_a_page_is_that_of_a_script():
    picture = plot()
    picture.say("{y} and {z}", y=[1, 2], z=[3, 4])
    cells = re.findall(r"<t[hd]\b[^>]*>(.*?)</t[hd]>", picture._repr_html_())
    assert cells == str(picture).partition("\n")[2].split()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: p.line([0, 1], [1, 2, 3, 4]), "x and y have [2, 4] numbers"),
        (lambda p: p.line(0, [0, 1]), "line: the shape () is neither"),
        (lambda p: p.point([1, 2, 3], 0), "point: the shape (3,) is neither"),
        (lambda p: p.arrow(0, 0, [[1, 2]], 0), "arrow: the shape (1, 2) is neither"),
        (lambda p: p.say("At 0.1 it is good."), "'0.1' would stay"),
        (lambda p: p.say("It is {y}."), "{y} has no numbers: add y=..."),
        (lambda p: p.say("{y}", y=[1, 2, 3]), "y has the shape (3,), the positions"),
        (lambda p: p.say("{y}", y=["a"]), "y has the shape (1,), the positions"),
        (lambda p: p._repr_html_(), "'A walk' has no words"),
        (lambda p: [p.point(0, 0, n) for n in "abcde"], "no more than 4 names"),
    ],
)
def test_what_cannot_be_shown_is_refused(make, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        make(plot())


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"positions": {}}, "give one or two names"),
        ({"positions": {"h": [1]}}, "at least two values"),
        ({"positions": {"h": [[1, 2]]}}, "at least two values"),
        ({"start": {"h": 3}}, "start: 3 is no value of h"),
        ({"start": {"k": 1}}, "start: k is none of ['h']"),
        ({"xlim": (1, 0)}, "first the lower limit"),
    ],
)
def test_picture_that_cannot_be_is_refused(more, message):
    given = {"positions": {"h": [1, 2]}, "xlim": (0, 1), "ylim": (0, 1)} | more
    with pytest.raises(ValueError, match=re.escape(message)):
        MovingPlot(title="A", **given)


def test_picture_too_large_for_a_page_is_refused():
    picture = MovingPlot({"k": range(100)}, "Many", xlim=(0, 1), ylim=(0, 1))
    picture.line(torch.linspace(0, 1, 100), torch.rand(100, 100))
    picture.say("So.")
    with pytest.raises(ValueError, match="fewer positions, or fewer points"):
        picture._repr_html_()


@pytest.mark.parametrize("words", ["x0 or x_1", "the 1st", "in {y} steps"])
def test_digits_in_names_are_no_numbers(words):
    picture = plot()
    if words == "the 1st":
        with pytest.raises(ValueError, match="1st"):
            picture.say(words)
    else:
        picture.say(words, y=[1, 2])
        assert "mv-say" in picture._repr_html_()
