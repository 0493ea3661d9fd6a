"""The command: draw what a script computed."""

import subprocess
import sys
from pathlib import Path

import pytest

from torchutils.__main__ import main

SCRIPT = """\
import sys
import torch
import beside

x = torch.tensor([1.0, 2.0], requires_grad=True)
loss = (x * beside.factor).sum()
count = 3
assert __name__ == "__main__" and len(sys.argv) == 1
"""


@pytest.fixture
def script(tmp_path, monkeypatch):
    (tmp_path / "beside.py").write_text("factor = 4\n")
    path = tmp_path / "train.py"
    path.write_text(SCRIPT)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "argv", [*sys.argv])
    monkeypatch.delitem(sys.modules, "beside", raising=False)
    return path


def test_variable_is_printed_in_words(script, capsys):
    main([str(script), "loss"])
    told = capsys.readouterr().out
    assert told.startswith("autograd graph: 3 nodes, 2 edges, 1 leaf (x)\n")
    assert "loss = sum(" in told


def test_ending_names_the_format(script, capsys):
    out = script.with_name("loss.svg")
    main([str(script), "loss", "-o", str(out)])
    assert capsys.readouterr().out.strip() == str(out)
    assert out.read_text("utf-8").startswith("<svg")


WRONG = [
    (["train.py", "los"], "has no variable 'los' at its top level; those with a graph"),
    (["train.py", "los"], "those with a graph: x, loss"),
    (["train.py", "count"], "no tensor to draw in 'int'"),
    (["train.py", "loss", "-o", "a.bmp"], "'bmp' is not one of svg"),
    (["tran.py", "loss"], "there is no script"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG)
def test_wrong_call_is_refused_with_the_remedy(script, capsys, arguments, message):
    with pytest.raises(SystemExit) as stopped:
        main([str(script.with_name(arguments[0])), *arguments[1:]])
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


def test_package_is_a_command():
    utils = Path(__file__).parent.parent / "utils"
    command = [sys.executable, "-m", "torchutils", "--help"]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=utils, check=True
    )
    assert (
        "Run a script, and draw the graph behind one of its variables." in done.stdout
    )
