"""The drawing as a Mermaid flowchart."""

import re

import pytest
import torch
from torch import nn

from torchutils import make_dot


def drawing(name: str = "x", **options: object):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    z = x.sin()
    return make_dot((z - x).sum(), {name: x, "z": z}, **options)


def test_chart_has_every_node_and_every_edge():
    drawn = drawing()
    text = drawn.mermaid
    nodes = re.findall(r"^n(\d+)[\[(>]", text, re.MULTILINE)
    edges = re.findall(r'^n(\d+) -->(?:\|".*?"\|)? n(\d+)$', text, re.MULTILINE)
    assert [int(n) for n in nodes] == [n.id for n in drawn.graph.nodes]
    assert [(int(a), int(b)) for a, b in edges] == [
        (e.src, e.dst) for e in drawn.graph.edges
    ]


def test_chart_says_shape_value_and_operand():
    text = drawing().mermaid
    assert text.startswith("flowchart LR\n")
    assert (
        '(["x<br>leaf · (2,) · float32<br>[1, 2]<br>grad: not computed yet"])' in text
    )
    assert '[["sum<br>scalar · float32' in text
    assert '-->|"operand 0"|' in text


def test_direction_and_mark_are_kept():
    text = drawing(direction="TB", highlight="z").mermaid
    assert text.startswith("flowchart TB\n")
    assert re.search(r'n\d+\["z = sin.*highlighted"\]:::lit', text)


HOSTILE = ['a"b', "a]b", "a#35;b", "fa:fa-car", "`code`", r"a\nb", "$$x$$", "a|b"]
HOSTILE += ["</div><script>", "%%{init: {}}%%", "end", "x@{shape: cyl}", "::: lit"]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_name_is_only_text(name):
    """Mermaid 11 drew each of these as it is written."""
    (line,) = re.findall(r'^n\d+\(\["(.*)"\]\)$', drawing(name).mermaid, re.MULTILINE)
    written = line.partition("<br>")[0]
    assert not set(written.replace("#8203;", "")) & set('"<>&`\\$%*_~')
    decoded = re.sub(r"#(\d+);", lambda m: chr(int(m[1])), written)
    assert not re.search(r":fa|\\n|\$\$", decoded)  # read after entities are
    assert decoded.replace("\u200b", "") == name


def test_repeated_part_is_a_subgraph():
    torch.manual_seed(0)
    model = nn.Sequential(*[m for _ in range(12) for m in (nn.Linear(2, 2), nn.Tanh())])
    text = make_dot(model(torch.ones(1, 2)).sum(), model).mermaid
    assert re.search(r'^subgraph g\d+ \[".* ×11"\]\n(.+\n)+end$', text, re.MULTILINE)


def test_file_is_the_chart(tmp_path):
    drawn = drawing()
    path = drawn.save(tmp_path / "graph.mmd")
    assert path.read_text("utf-8") == drawn.mermaid
