"""``python -m torchutils script.py loss -o loss.svg``: draw what a script computed."""

import argparse
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from torchutils import __version__, make_dot


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m torchutils",
        description="Run a script, and draw the graph behind one of its variables.",
    )
    parser.add_argument("script", type=Path, help="the script; it is run as a program")
    parser.add_argument("variable", help="a tensor at the top level of the script")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        help="a file whose ending names the format: svg, html, dot, mmd, json, txt, "
        "png, pdf or jpg; without it, the drawing is printed in words",
    )
    parser.add_argument("--version", action="version", version=__version__)
    return parser


def main(arguments: Sequence[str]) -> None:
    """Run the script, and print the drawing or write it."""
    parser = _options()
    given = parser.parse_args(arguments)
    if not given.script.is_file():
        parser.error(f"there is no script {given.script}")
    sys.argv = [str(given.script)]
    sys.path.insert(0, str(given.script.parent.resolve()))
    made = runpy.run_path(str(given.script), run_name="__main__")
    if given.variable not in made:
        known = [
            k
            for k, v in made.items()
            if isinstance(v, torch.Tensor) and v.requires_grad
        ]
        parser.error(
            f"{given.script.name} has no variable {given.variable!r} at its top level; "
            f"those with a graph: {', '.join(known) or 'none'}"
        )
    try:
        drawing = make_dot(made[given.variable], made)
        text = drawing.text if given.output is None else drawing.save(given.output)
    except (TypeError, ValueError, RuntimeError) as error:
        parser.error(str(error))
    print(text)


if __name__ == "__main__":
    main(sys.argv[1:])
