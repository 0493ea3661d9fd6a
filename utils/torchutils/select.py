"""Pick nodes of a graph: draw the paths to some alone, or make some stand out."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import torch
from torch.autograd.graph import GradientEdge

from torchutils.fit import keep
from torchutils.graph import Graph
from torchutils.labels import HIGHLIGHTED
from torchutils.walk import Root, Walk, start

__all__ = ["Choice", "highlighted", "paths", "places"]

_One = str | Root
Choice = _One | Sequence[_One]  # names, or the tensors themselves


def places(graph: Graph, live: Walk, option: str, chosen: Choice) -> set[int]:
    """Return the ids of the nodes that are meant.

    Raises ValueError when one is not in the graph, TypeError for what is no tensor and
    no name.
    """
    several = isinstance(chosen, (list, tuple)) and not isinstance(chosen, GradientEdge)
    found: set[int] = set()
    for one in chosen if several else [chosen]:
        if isinstance(one, str):
            known = (n for n in graph.nodes if n.kind != "saved")
            ids = {n.id for n in known if one in n.names}
        elif isinstance(one, (torch.Tensor, GradientEdge)):
            ids = {live.places[node] for node in [start(one)] if node in live.places}
        else:
            what = type(one).__name__
            raise TypeError(f"{option} takes tensors or their names, not {what}")
        if not ids:
            who = repr(one) if isinstance(one, str) else "the tensor"
            limit = f", of which {graph.truncated} nodes were read"
            raise ValueError(
                f"{option}: {who} is not in the graph behind the output"
                + (limit if graph.truncated else "")
            )
        found |= ids
    return found


def highlighted(graph: Graph, ids: Iterable[int]) -> Graph:
    """Return the graph with nodes that stand out."""
    ids = frozenset(ids)
    nodes = [
        n._replace(notes=(HIGHLIGHTED, *n.notes)) if n.id in ids else n
        for n in graph.nodes
    ]
    return replace(graph, rows=tuple(nodes))


def paths(graph: Graph, ids: Iterable[int]) -> Graph:
    """Keep the nodes between these and the output, and the leaves beside them."""
    users: dict[int, list[int]] = {}
    for edge in graph.edges:
        users.setdefault(edge.src, []).append(edge.dst)
    queue = [*ids]
    kept = set(queue)
    for i in queue:  # it grows while we go
        new = [user for user in users.get(i, ()) if user not in kept]
        kept.update(new)
        queue += new
    beside = {e.src for e in graph.edges if e.dst in kept}
    kept |= {i for i in beside if graph.nodes[i].kind in ("leaf", "saved")}
    remark = f"Drawn are the paths to what path_to names: {len(kept)} nodes of "
    return keep(graph, kept, f"{remark}{len(graph.nodes)}.")
