"""The atlas of points: what is measured, the verdicts, the table, the page."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from math import inf, isfinite, nan
from pathlib import Path

import pytest
import torch
import torchgen
from course import run_of
from playwright.sync_api import Page
from test_browser import AXE, SITE, address, bare, faults, page
from torch.nn import functional

from courserun.forkserver import OLDEST

__all__ = ["address", "bare", "page"]  # fixtures
DERIVATIVES = Path(torchgen.__file__).parent / "packaged/autograd/derivatives.yaml"
DOCS = Path(__file__).parent.parent / "docs"
sys.path.insert(0, str(DOCS))

from points import KINDS, PointError, judge, measure, read_rows  # noqa: E402
from points_html import by_function, functions, table  # noqa: E402

RELEASE_213 = [  # call, point, reverse gradient, verdict; as PyTorch 2.13.0 has them
    ("torch.relu(x)", "0", (0,), "one side's slope"),
    ("torch.abs(x)", "0", (0,), "at the middle"),
    ("torch.clamp(x, -1, 1)", "1", (1,), "one side's slope"),
    ("torch.sqrt(x)", "0", (inf,), "infinite"),
    ("torch.max(x)", "[1, 3, 3]", (0, 0.5, 0.5), "at the middle"),
    ("torch.max(x, 0).values", "[1, 3, 3]", (0, 1, 0), "one side's slope"),
    ("torch.linalg.vector_norm(x)", "[0, 0]", (0, 0), "at the middle"),
    ("torch.linalg.det(x)", "[[2, 0], [0, 3]]", (3, 0, 0, 2), "the slope"),
    ("x.detach() * x", "3", (3,), "silently wrong"),
    ("2 * torch.max(x) - x.sum()", "[3, 3]", (0, 0), "at the middle"),
    ("torch.floor(x)", "1", (0,), "one side's slope"),
    ("torch.sign(x)", "0", (0,), "finite at an infinite slope"),
    ("torch.sqrt(x.detach())", "1", (), "no gradient"),
]


SUM = "slopes do not add up"
ROWLESS = {  # functions with a rule for their gradient and without a row, by the reason
    "linear in each argument": """add addbmm addcmul addmm addmv addr
        affine_grid_generator as_strided as_strided_scatter avg_pool2d avg_pool3d
        baddbmm block_diag bmm cat channel_shuffle chunk clone complex constant_pad_nd
        conv_tbc convolution cross cumsum deg2rad diag_embed diagonal diagonal_scatter
        dot fill flip gather index_add index_fill index_select lerp linear masked_fill
        masked_scatter masked_select matmul max_unpool2d max_unpool3d mm mul mv
        narrow_copy neg permute pixel_shuffle pixel_unshuffle put rad2deg roll rot90
        rsub scatter_add select select_scatter slice_inverse slice_scatter
        sparse_compressed_tensor split split_with_sizes squeeze stack sub sum t take
        trace transpose tril triu unbind unfold unsafe_split unsafe_split_with_sizes
        unsqueeze vdot view_as_complex view_as_real""",
    "smooth": """asinh atan cos cosh erf erfc erfcx exp2 glu matrix_exp mse_loss sinh
        tanh""",
    "its pole is no number of the machine": "tan",
    "with var, which has a row": "var_mean",
    "another name or a part of one with a row": """fractional_max_pool3d grid_sampler_2d
        grid_sampler_3d igamma lu_factor_ex lu_solve lu_unpack max_pool2d_with_indices
        max_pool3d_with_indices native_batch_norm native_group_norm native_layer_norm
        ormqr triangular_solve unique_consecutive""",
    "random": "bernoulli multinomial native_dropout normal poisson",
    "not differentiable": """all any count_nonzero eq ge geqrf gt hash_tensor isnan le
        lt ne nonzero one_hot""",
}


def rows(lines: str) -> list:
    return read_rows(lines, "mine.txt")


@pytest.mark.parametrize(("call", "point", "gradient", "verdict"), RELEASE_213)
def test_measure_finds_what_is_known_by_hand(call, point, gradient, verdict):
    found = measure(rows(f"[kink]\n{call} | {point}")[0])
    assert found.verdict == verdict
    if gradient:
        assert found.modes["reverse"] == pytest.approx(gradient)


@pytest.mark.parametrize(
    ("gradient", "sides", "verdict"),
    [
        ((2.0,), [(2, 2, 2)], "the slope"),
        ((0.0,), [(0, 2, 2)], "silently wrong"),
        ((0.0,), [(0, -1, 1)], "at the middle"),
        ((1.0,), [(1, 0, 1)], "one side's slope"),
        ((1.0,), [(1, nan, 1)], "one side's slope"),
        ((0.0,), [(0, nan, 1)], "silently wrong"),
        ((0.25,), [(0.25, 0, 1)], "in between"),
        ((2.0,), [(2, 0, 1)], "outside"),
        ((nan,), [(nan, 1, 1)], "nan"),
        ((inf,), [(inf, nan, inf)], "infinite"),
        ((inf,), [(inf, 1, 1)], "infinite, wrongly"),
        ((1.0,), [(1, inf, inf)], "finite at an infinite slope"),
        ((1.0,), [(1, nan, nan)], "no slope"),
        (
            (0.5, 0.5),
            [(0.5, 0, 1), (0.5, 0, 1), (1, 1, 1), (0, -1, 1)],
            "at the middle",
        ),
        ((1.0, 1.0), [(1, 0, 1), (1, 0, 1), (2, 1, 1), (0, -1, 1)], "outside"),
        ((0.0, 1.0), [(0, 0, 0), (1, 0, 1)], "one side's slope"),
        ((0.5, 1.0), [(0.5, 0, 1), (1, 0, 1)], "in between"),
        ((1.0, 0.0), [(1, 0, 0), (0, 0, 0), (1, 0, 1), (1, 1, 0)], SUM),
    ],
)
def test_judge_gives_the_verdict_of_the_rules(gradient, sides, verdict):
    assert judge(gradient, sides) == verdict


def with_a_rule() -> set[str]:
    """Return the public functions that torch's list of derivatives names."""
    found = re.findall(r"^- name: (\w+)[.(]", DERIVATIVES.read_text(), re.MULTILINE)
    names = set()
    for name in found:
        module, _, short = name.partition("_")
        if module in ("linalg", "special") and hasattr(getattr(torch, module), short):
            names.add(short)
        elif hasattr(torch, name) or hasattr(functional, name):
            names.add(name)
    other = ("_", "cudnn", "miopen", "mkldnn")  # not for users, or of one device
    return {n for n in names if not n.startswith(other) and not n.endswith("_")}


def test_each_function_with_a_rule_has_a_row_or_a_reason():
    named = {name for row in read_rows() for name in functions(row.call)}
    has_row = {name.rpartition(".")[2] for name in named}
    listed = " ".join(ROWLESS.values()).split()
    assert len(with_a_rule()) > 280
    assert len(listed) == len(set(listed))
    assert with_a_rule() - has_row == set(listed)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("torch.abs(x)", "mine.txt:2: 'torch.abs(x)' is no row: write a call of x"),
        ("torch.abs(y) | 0", "is no row: write a call of x"),
        ("torch.abs(x | 0", "is no Python"),
        ("torch.abs(x) | here", "mine.txt:2: 'here' is no point: write 0"),
        ("torch.abs(x) | 0 | colour", "no option 'colour': write lesson, issue"),
        ("torch.abs(x) | 0; 0", "is mine.txt:2 again: take one of them out"),
        ("[corner]", "no kind 'corner': write one of kink, tie"),
        ("torch.sort(x) | [1, 2]", "not one number: add [0], .values or .sum()"),
        ("torch.abz(x) | 0", "mine.txt:2: torch.abz(x) raises AttributeError"),
    ],
)
def test_a_line_that_cannot_be_used_is_named_with_a_remedy(line, told):
    with pytest.raises(PointError) as caught:
        [measure(row) for row in rows(f"[kink]\n{line}")]
    assert told in str(caught.value)


def test_another_gradient_that_is_meant_has_a_verdict_of_its_own():
    line = "[jump]\nx.detach() * x | 3"
    wrong, meant = (measure(rows(line + more)[0]) for more in ("", " | meant"))
    assert (wrong.verdict, "vmap wrong" in wrong.marks) == ("silently wrong", True)
    assert (meant.verdict, meant.marks) == ("another on purpose", ())
    right = measure(rows("[jump]\ntorch.square(x) | 3 | meant")[0])
    assert right.verdict == "the slope"


def test_page_is_the_same_on_an_older_processor():
    code = (
        "import json, points, points_html, releases_html;"
        "shown = points_html.measured();"
        "others = releases_html.elsewhere(releases_html.history());"
        "tables = [points_html.table(shown, k, others).source for k in points.KINDS];"
        "print(json.dumps(tables))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=DOCS,
        env={**os.environ, **OLDEST},
        capture_output=True,
        text=True,
        check=True,
    )
    parts = [p for o in run_of("docs/atlas.md").outputs if o for p in o.parts]
    shown = [p.source for p in parts if p.kind == "html" and "<tr id=" in p.source]
    assert "".join(shown).count("<tr id=") == len(read_rows())
    assert sorted(shown) == sorted(json.loads(done.stdout))


def test_a_line_more_is_a_row_more():
    lines = "[kink]\ntorch.abs(x) | 0\n"
    more = lines + "torch.clamp(x, -1, 1) | -1; 1 | note at the bounds\n"
    assert len(rows(more)) == len(rows(lines)) + 2
    assert table(list(map(measure, rows(more))), "kink").source.count("<tr id=") == 3


def test_another_function_changes_each_number_of_the_page():
    lines = "[kink]\ntorch.square(x) + x | 3"
    shown = [
        table([measure(row) for row in rows(text)], "kink").source
        for text in (lines, lines.replace("square(x) + x", "abs(x)"))
    ]
    first, other = (re.search("</th>.*?<details", html)[0] for html in shown)
    assert [cell in first for cell in (">12<", ">7<", ">2<")] == [True] * 3
    assert [cell in other for cell in (">3<", ">1<", ">0<")] == [True] * 3


def test_the_atlas_has_its_points_and_none_of_its_values_is_typed():
    before = [measure(row) for row in read_rows()]
    after = [measure(replace(p.row, call=f"3 * ({p.row.call}) + 7")) for p in before]
    values = [(p.value, q.value) for p, q in zip(before, after, strict=True)]
    finite = [(p, q) for p, q in values if isfinite(p)]
    assert len(finite) > 0.75 * len(before) > 0.75 * 200
    assert all(q == pytest.approx(3 * p + 7) for p, q in finite)
    slopes = [(p, q) for p, q in zip(before, after, strict=True) if _has_slope(p)]
    assert len(slopes) > 100
    for p, q in slopes:
        three = [3 * number for number in p.modes["reverse"]]
        assert q.modes["reverse"] == pytest.approx(three), p.row.call


def _has_slope(point):
    return (
        not isinstance(point.modes["reverse"], str)
        and any(isfinite(number) and number for number in point.modes["reverse"])
        and all(map(isfinite, point.modes["reverse"]))
    )


@pytest.mark.parametrize(
    ("call", "names"),
    [
        ("torch.clamp(x, torch.zeros(()), torch.ones(()))", ["torch.clamp"]),
        ("x.clamp(min=0)", ["torch.clamp"]),
        ("F.pdist(x).sum()", ["F.pdist"]),
        ("torch.linalg.svdvals(x.view(1, 1))[0]", ["torch.linalg.svdvals"]),
        ("x[0] * x[1].log()", ["torch.log"]),
        ("1 / x", []),
    ],
)
def test_function_lists_its_points(call, names):
    point = measure(rows("[kink]\ntorch.abs(x) | 0")[0])
    points = [replace(point, row=row) for row in rows(f"[kink]\n{call} | 1; 2")]
    html = by_function(points).source
    assert re.findall("<li><a[^>]*><code>(.*?)</code> at 1</a>, ", html) == names
    assert html.count("<a ") == 2 * len(names)


def test_function_says_a_call_where_it_is_another_one():
    points = [measure(row) for row in rows("[kink]\nx.abs() * x.abs() | 0")]
    points += [measure(row) for row in rows("[kink]\ntorch.abs(x) | 0; 1")]
    html = by_function(points).source
    links = [re.sub("<.*?>", "", a) for a in re.findall("<a .*?</a>", html)]
    assert links == ["torch.abs at 0", "1", "x.abs() * x.abs() at 0"]


def test_scripts_of_the_table_run_and_print_its_numbers(capsys):
    row = rows("[kink]\nF.hardtanh(x) | -1")[0]
    exec(row.script, {})
    assert capsys.readouterr().out == "(tensor(0.),)\n"
    assert len(row.script.splitlines()) == 3


SHOWN = ".atlas tbody tr:visible"
STATUS = ".atlas-filter [role=status]"
AT_TOP = """id => { const { top } = document.getElementById(id).getBoundingClientRect();
  return top >= 0 && top < innerHeight; }"""
CALL = "Name, or part of a call"
RELU = "torch.relu-x-at-0"


def focused(page: Page) -> str:
    return page.evaluate("document.activeElement.name")


def asked(page: Page, query: str) -> None:
    page.wait_for_function("query => location.search === query", arg=query)


@pytest.mark.parametrize("width", [1280, 390])
def test_keyboard_alone_filters_by_call_kind_and_verdict(page: Page, address, width):
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(address + "atlas.html")
    rows, status = page.locator(SHOWN), page.locator(STATUS)
    every = len(read_rows())
    assert rows.count() == every
    assert status.inner_text() == f"{every} of {every} points"
    page.get_by_label(CALL).focus()
    page.keyboard.type("MAX 3,")
    assert focused(page) == "call"
    assert 0 < rows.count() < every
    for text in rows.locator("th").all_inner_texts():
        assert "max" in text.lower()
    assert status.inner_text() == f"{rows.count()} of {every} points"
    page.keyboard.press("Tab")
    page.keyboard.type("Ti")
    assert focused(page) == "kind"
    assert page.locator("section:has(> h2):has(.atlas):visible").count() == 1
    page.keyboard.press("Tab")
    page.keyboard.type("one")
    assert focused(page) == "verdict"
    words = page.locator(f"{SHOWN} .verdict").all_inner_texts()
    assert words
    assert all("one side's slope" in text for text in words)
    assert status.inner_text() == f"{len(words)} of {every} points"
    asked(page, "?call=MAX+3%2C&kind=Ties&verdict=one+side%27s+slope")
    page.reload()
    assert rows.count() == len(words)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.evaluate(AXE)
    assert faults(page, "") == []


@pytest.mark.parametrize(
    ("query", "call", "count"),
    [
        ("?call=torch.relu", "torch.relu", None),
        ("?call=-1&kind=Kinks", "-1", None),
        ("?kind=no+such+kind&verdict=none", "", len(read_rows())),
        ("?call=no+such+call", "no such call", 0),
    ],
)
def test_address_asks(page: Page, address, query, call, count):
    page.goto(f"{address}atlas.html{query}")
    assert page.get_by_label(CALL).input_value() == call
    rows = page.locator(SHOWN)
    texts = rows.locator("th").all_inner_texts()
    assert all(call in text.replace("−", "-") for text in texts)
    assert len(texts) == count if count is not None else texts
    if count == 0:
        assert page.locator(STATUS).inner_text().startswith("No point has all")
    assert page.get_by_label("Kind").locator("option:checked").inner_text()


@pytest.mark.parametrize("place", [RELU, "kinks"])
def test_link_opens_what_the_filter_hides(page: Page, address, place):
    page.goto(f"{address}atlas.html?kind=Poles#{place}")
    there = page.locator(f"[id='{place}']")
    for _ in range(2):
        assert there.is_visible()
        page.wait_for_function(AT_TOP, arg=place)  # scrolls smoothly
        page.keyboard.press("Tab")
        assert there.evaluate("there => there.contains(document.activeElement)")
        assert page.get_by_label("Kind").input_value() == ""
        asked(page, "")
        assert page.url.endswith("#" + place)
        page.get_by_label("Kind").select_option("Poles")
        assert not there.is_visible()
        asked(page, "?kind=Poles")
        page.evaluate("place => { location.hash = place; }", place)


def test_filter_works_from_a_file(page: Page):
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto((SITE / "atlas.html").absolute().as_uri())
    page.get_by_label(CALL).fill("clamp")
    asked(page, "?call=clamp")
    page.reload()
    assert 0 < page.locator(SHOWN).count() < len(read_rows())
    assert errors == []


def test_without_a_script_sections_and_lists_part_the_points(bare: Page, address):
    bare.goto(address + "atlas.html")
    assert bare.locator(".atlas-filter :is(input, select):visible").count() == 0
    sections = bare.locator("section:has(> h2):has(.atlas)")
    rows = [part.locator(SHOWN).count() for part in sections.all()]
    assert len(rows) == len(KINDS)
    assert min(rows) > 0
    assert sum(rows) == len(read_rows())
    by_verdict = bare.locator("details:has(> ul a[href^='#'])", has_text="one side's")
    by_verdict.locator("summary").first.press("Enter")
    link = by_verdict.locator("a").first
    link.press("Enter")
    row = bare.locator(f"[id='{link.get_attribute('href')[1:]}']")
    assert "one side's slope" in row.inner_text()
    assert row.evaluate("row => row.matches(':target')")
