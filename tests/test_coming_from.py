"""Each row of the page for those who come from another tool, run."""

import re
from pathlib import Path

import pytest
import torch
from torch import nn

from torchutils import Drawing, make_dot, record_backward

PAGE = Path(__file__).parent.parent / "docs" / "coming_from.md"
ROW = re.compile(r"^\| `(.*)` \| `(.*)` \|$", re.MULTILINE)
TOOLS = {
    section.partition("\n")[0]: ROW.findall(section)
    for section in PAGE.read_text("utf-8").split("\n## From ")[1:]
}
HERE = [(tool, new) for tool, rows in TOOLS.items() for _, new in rows]


def run(code: str) -> object:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    x = torch.ones(2, 3)
    known = {"make_dot": make_dot, "record_backward": record_backward, "torch": torch}
    known |= {"model": model, "x": x, "y": model(x).mean()}
    return eval(code, known)


def test_page_has_rows_of_each_tool():
    assert {tool: len(rows) for tool, rows in TOOLS.items()} == {
        "torchviz": 10,
        "torchview": 7,
        "torchlens": 4,
    }


@pytest.mark.parametrize(("tool", "code"), HERE)
def test_what_to_write_runs(tool, code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = run(code)
    if ".save(" in code:
        assert Path(made).stat().st_size > 100
    elif not code.startswith("print("):
        assert made
        assert isinstance(made, Drawing | str)


@pytest.mark.parametrize(("old", "new"), TOOLS["torchviz"])
def test_call_for_torchviz_does_what_the_new_one_does(old, new, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before, after = run(old), run(new)
    if isinstance(after, Drawing):
        assert before.source == after.source
        assert before.text == after.text
    elif isinstance(after, Path):
        assert Path(before).suffix == after.suffix
        assert Path(before).read_bytes()[:4] == after.read_bytes()[:4]
    else:
        text = before.decode() if isinstance(before, bytes) else before
        assert text.startswith(after[:4])
