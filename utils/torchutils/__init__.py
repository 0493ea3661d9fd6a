"""Read, draw and replay PyTorch's autograd graph.

>>> import torch
>>> from torchutils import make_dot
>>> x = torch.tensor(3.0, requires_grad=True)
>>> make_dot(x**2, {"x": x})
autograd graph: 2 nodes, 1 edge, 1 leaf (x)
"""

from torchutils.answers import Verdict, answer_key, check_answer
from torchutils.compare import diff
from torchutils.cuts import Cuts, trace_cuts
from torchutils.drawing import Drawing, make_dot, make_dot_from_trace, resize_graph
from torchutils.modules import trace_modules
from torchutils.moving import MovingPlot
from torchutils.read import read_graph, trace_lines
from torchutils.record import record_backward

__version__ = "1.0.0"
__all__ = [
    "Cuts",
    "Drawing",
    "MovingPlot",
    "Verdict",
    "answer_key",
    "check_answer",
    "diff",
    "make_dot",
    "make_dot_from_trace",
    "read_graph",
    "record_backward",
    "resize_graph",
    "trace_cuts",
    "trace_lines",
    "trace_modules",
]
