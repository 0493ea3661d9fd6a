"""Run the doctests of a lesson's text, and compare outputs number by number.

Two outputs agree when their words and brackets are the same (so shape, dtype,
``grad_fn``, ``requires_grad``) and every number agrees to the digits written:
``0.1966`` stands for what rounds to it; ``12``, ``12.`` and ``12.0`` are exact,
and the first is an integer.  Where an example has a value, its numbers are those
of the value, not of its print, which is rounded already.  White space is free.
``...`` stands for anything where the example says ``# doctest: +ELLIPSIS``; no
other option is allowed.
"""

from __future__ import annotations

import builtins
import doctest
import math
import re
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy
import torch

from coursecheck.faults import StatementError, raise_all
from coursecheck.stated import Block, Statement, prompted, stating

__all__ = [
    "OutputChecker",
    "Played",
    "difference",
    "fits",
    "play",
    "run_doctests",
    "watch",
]

Exact = tuple[tuple[float, float], ...]  # numbers, and how coarse their type is
Played = tuple[tuple[doctest.Example, str, Exact], ...]  # what each example gave

_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,}|:{3,})[ \t]*$", re.MULTILINE)
_TOKEN = re.compile(r"[^\W\d]\w*|[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|\.\.\.|\S")
_NUMBER = re.compile(r"[-+]?\.?\d")
_EXACT = re.compile(r"[-+]?\d+(?:\.0?|\.?[eE][-+]?\d+)")
_HEADER = "Traceback (most recent call last):\n"
_STACK = re.compile(rf"(?s:.*){re.escape(_HEADER)}(?:[ ].*\n)*")
_NO_CODE = re.compile(
    r"^[ \t]*>>>[ \t]*(?:#.*)?\n(?:[ \t]*\.\.\.(?: .*)?\n)*[ \t]*(?!>>>)\S.*",
    re.MULTILINE,
)
_FRAMES = re.compile(
    rf"{re.escape(_HEADER)}(?:[ ]*\.\.\.\n|[ ]+File [\"'].+[\"'], line \d+.*\n"
    r"(?:[ ]{4}.*\n)?(?:[ ~^]+\n)?)*"
)
_EXPECTED = (
    "an error on purpose is stated by two lines: `Traceback (most recent call last):`,"
    " and its type and message, `RuntimeError: …`"
)
_PRINTS: dict[
    str, Callable[[], object]
] = {  # what shows a value; a lesson that changes it could show another
    "sys.displayhook": lambda: sys.displayhook,
    "sys.__displayhook__": lambda: sys.__displayhook__,
    "torch.Tensor.__repr__": lambda: torch.Tensor.__repr__,
}
_AS_USUAL = {"sys.displayhook": sys.__displayhook__} | {
    name: look() for name, look in _PRINTS.items() if name != "sys.displayhook"
}
_ROUNDING = Decimal("1e-12")  # of float64 arithmetic, where a number is exact


def run_doctests(
    block: Block, namespace: Mapping[str, Any], name: str
) -> tuple[Statement, ...]:
    """Return what the examples of a text state, which is true; see :func:`play`."""
    return tuple(
        Statement("doctest", text, block.line + e.lineno, ("output",))
        for e, *_ in play(block, namespace, name)
        for text in stating([e])
    )


def fits(block: Block, played: Played, name: str) -> bool:
    """Tell whether a text, changed in what it states, would still be true."""
    try:
        examples = _examples(block, name)
    except StatementError:
        return False
    if [e.source for e in examples] != [e.source for e, *_ in played]:
        return False
    return not any(
        difference(_want(e), got, exact, ellipsis=doctest.ELLIPSIS in e.options)
        for e, (_, got, exact) in zip(examples, played, strict=True)
    )


def play(block: Block, namespace: Mapping[str, Any], name: str) -> Played:
    """Run every example of the text in a shallow copy of the namespace.

    Names that an example binds are seen by the later ones of the block only.
    Warnings are errors; the lesson's random numbers are left alone.  Raise
    :class:`StatementError` for an example that prints something else than it
    states, or that changes a tensor of the lesson.
    """
    examples = _examples(block, name)
    if not examples:
        return ()
    test = doctest.DocTest(examples, dict(namespace), name, name, 0, None)
    runner = _Runner(block, name, watch(namespace))
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("error")
        runner.run(test, clear_globs=False)
    raise_all(runner.faults)
    printed = zip(examples, runner.printed, strict=True)
    return tuple((example, *output) for example, output in printed)


def difference(
    want: str, got: str, exact: Exact = (), *, ellipsis: bool = False
) -> str | None:
    """Say where the stated output departs from the computed one, if it does.

    >>> difference("tensor([0., 0.5])", "tensor([0.0000, 0.5000])")
    >>> difference("tensor(12.)", "tensor(13.)")
    '12., not 13.'

    ``exact`` holds the numbers of the value that was printed.

    >>> difference("tensor(0.325)", "tensor(0.3245)", ((0.32446, 6e-8),))
    '0.325, not 0.32446'
    """
    want = want.replace("<BLANKLINE>", "")
    stated = _TOKEN.findall(want)
    computed = _numbered(_TOKEN.findall(got), exact)
    if ellipsis and "..." in stated:
        return None if _fits(stated, computed) else "it fits with no text for ..."
    stated.append("the end")
    computed.append(_Got("the end"))
    gaps = enumerate(map(_gap, stated, computed))
    place, gap = next(((k, gap) for k, gap in gaps if gap), (0, None))
    if gap and not _NUMBER.match(stated[place]):  # a bracket alone says little
        return f"{_from(want, place)}, not {_from(got, place)}"
    return gap


def _from(text: str, place: int) -> str:
    """Return what is written from a word on, up to the end of the line.

    >>> _from("tensor(1., dtype=torch.float64)", 3)
    ', dtype=torch.float64)'
    """
    starts = [match.start() for match in _TOKEN.finditer(text)]
    rest = text[starts[place] :] if place < len(starts) else "the end"
    return rest.splitlines()[0]


@dataclass(frozen=True)
class _Got:
    """A word or number that was printed; of a number's value, how exact it is."""

    text: str
    value: Decimal = Decimal()
    coarse: Decimal = Decimal()


def _numbered(words: list[str], exact: Exact) -> list[_Got]:
    """Give each printed number its value, if there are as many values."""
    count = sum(map(bool, map(_NUMBER.match, words)))
    values = iter(exact if len(exact) == count else ())
    found = []
    for word in words:
        if not _NUMBER.match(word):
            found.append(_Got(word))
            continue
        value, eps = next(values, (None, 0.0))
        number = Decimal(word) if value is None else Decimal(repr(value))
        found.append(_Got(word, number, abs(number) * Decimal(4 * eps)))
    return found


def _values(value: Any) -> Iterator[tuple[float, float]]:
    """Yield the numbers of a value in the order in which they are printed."""
    if isinstance(value, numpy.ndarray | numpy.generic) and value.dtype.kind in "fiuc":
        value = torch.as_tensor(value)
    if isinstance(value, torch.Tensor) and value.layout == torch.strided:
        value = value.detach().resolve_conj()  # it may only be marked as one
        value = torch.view_as_real(value) if value.is_complex() else value
        eps = torch.finfo(value.dtype).eps if value.is_floating_point() else 0.0
        if value.dtype != torch.bool:
            numbers = value.double().flatten().tolist()
            yield from ((number, eps) for number in numbers if math.isfinite(number))
    elif isinstance(value, dict):
        yield from (pair for item in value.items() for pair in _values(item))
    elif isinstance(value, list | tuple):
        yield from (pair for item in value for pair in _values(item))
    elif isinstance(value, float) and math.isfinite(value):
        yield float.__float__(value), sys.float_info.epsilon  # whatever its class says
    elif isinstance(value, int) and not isinstance(value, bool):
        yield float(int.__int__(value)), 0.0


class OutputChecker(doctest.OutputChecker):
    """Compare as :func:`difference` does, for the standard doctest machinery."""

    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        """Tell whether the two outputs state the same."""
        ellipsis = bool(optionflags & doctest.ELLIPSIS)
        return difference(want, got, ellipsis=ellipsis) is None


def _gap(stated: str, computed: _Got) -> str | None:
    """Say how a word or number departs from the computed one, if it does."""
    text = computed.text
    if stated == text:
        return None
    if not (_NUMBER.match(stated) and _NUMBER.match(text)):
        return f"{stated}, not {text}"
    a, b = Decimal(stated), Decimal(text)
    if _is_integer(stated) or _is_integer(text):  # tensor(12) is no tensor(12.)
        same = _is_integer(stated) and _is_integer(text) and a == b
        return None if same else f"{stated}, not {text}"
    if _EXACT.fullmatch(stated):
        near = abs(a - computed.value) <= computed.coarse  # 1e-5 is 9.9999997e-06
        same = near or abs(a - b) <= _ROUNDING * abs(a)
        return None if same else f"{stated}, not {text}"
    half = _half_a_digit(a)
    gap = abs(a - computed.value)
    if gap < half - computed.coarse:
        return None
    if gap <= half + computed.coarse:
        return f"{stated} hangs on the last bit of {text}: write a digit more, or less"
    return f"{stated}, not {computed.value.normalize():.7g}"


def _half_a_digit(number: Decimal) -> Decimal:
    """Return half a unit of a finite number's last digit.

    >>> _half_a_digit(Decimal("2.50"))
    Decimal('0.005')
    """
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)  # else it is no number
    return Decimal((0, (5,), exponent - 1))


def _is_integer(number: str) -> bool:
    return number.lstrip("+-").isdigit()


def _fits(stated: list[str], computed: list[_Got]) -> bool:
    """Match with ``...`` as any tokens, by the set of places reached so far."""
    end = len(computed)
    places = {0}
    for token in stated:
        if token == "...":
            places = set(range(min(places, default=end + 1), end + 1))
        else:
            places = {p + 1 for p in places if p < end and not _gap(token, computed[p])}
    return end in places


def _examples(block: Block, name: str) -> list[doctest.Example]:
    """Find the examples; a closing fence of MyST is not part of an output."""
    text = _FENCE.sub("", block.source)
    if match := _NO_CODE.search(text):
        line = block.line + text.count("\n", 0, match.start())
        why = "nothing runs here, and so nothing puts this out"
        raise StatementError(f"{name}:{line}\n  {why}\n  {match[0].strip()}", line)
    try:
        examples = doctest.DocTestParser().get_examples(text, name)
    except ValueError as error:
        raise StatementError(f"{name}:{block.line}\n  {error}", block.line) from error
    for example in examples:
        if why := _unfit(example):
            line = block.line + example.lineno
            raise StatementError(f"{name}:{line}\n  {why}\n  {prompted(example)}", line)
    return examples


def _unfit(example: doctest.Example) -> str:
    """Say why an example would state more than is compared, if it does."""
    if set(example.options) - {doctest.ELLIPSIS}:
        return (
            "a doctest of ours takes no option but +ELLIPSIS: none is skipped or"
            " loosened"
        )
    if not example.exc_msg or _FRAMES.fullmatch(
        example.want.removesuffix(example.exc_msg)
    ):
        return ""
    return f"nobody compares what stands above the error: {_EXPECTED}"


class _Runner(doctest.DocTestRunner):
    """Gather false examples; look at the tensors after each true one."""

    def __init__(
        self, block: Block, name: str, changed: Callable[[], str | None]
    ) -> None:
        super().__init__(checker=OutputChecker(), verbose=False)
        self._block, self._name, self._changed = block, name, changed
        self.printed: list[tuple[str, Exact]] = []
        self.faults: list[StatementError] = []

    def report_start(self, out: Any, test: Any, example: Any) -> None:
        vars(builtins).pop("_", None)  # where the display hook leaves a value

    def report_success(self, out: Any, test: Any, example: Any, got: str) -> None:
        self._compare(example, got)

    def report_failure(self, out: Any, test: Any, example: Any, got: str) -> None:
        self._compare(example, got)

    def _compare(self, example: Any, got: str) -> None:
        """Compare once more, with the value: only now it is known."""
        exact = tuple(_values(vars(builtins).pop("_", None)))
        got = _STACK.sub(_HEADER, got) if example.exc_msg else got
        self.printed.append((got, exact))
        ellipsis = bool(example.options.get(doctest.ELLIPSIS))
        if lie := _changed_print() or _lie(got, exact):
            self._fail(example, f"  {lie}")
        elif where := difference(_want(example), got, exact, ellipsis=ellipsis):
            self._fail(example, _sides(_want(example), got) + f"\n  {where}")
        elif change := self._changed():
            self._fail(example, f"  a doctest may look, not change: {change}")

    def report_unexpected_exception(
        self, out: Any, test: Any, example: Any, exc_info: Any
    ) -> None:
        got = "".join(traceback.format_exception_only(*exc_info[:2]))
        self.printed.append((got, ()))
        self._fail(example, _sides(example.want, got) + f"\n  {_EXPECTED}")

    def _fail(self, example: Any, why: str) -> None:
        line = self._block.line + example.lineno
        source = prompted(example).rstrip().replace("\n", "\n  ")
        message = f"{self._name}:{line}\n  {source}\n{why}"
        self.faults.append(StatementError(message, line))


def _changed_print() -> str:
    """Name what shows values and is not Python's or torch's own any more."""
    changed = (name for name, look in _PRINTS.items() if look() is not _AS_USUAL[name])
    return next(
        (f"{name} was changed, so a value may print as another" for name in changed), ""
    )


def _lie(got: str, exact: Exact) -> str:
    """Say which printed number is not the value's, but for rounding.

    >>> _lie("9.0", ((4.0, 0.0),)), _lie("4.", ((4.4, 0.0),))
    ('it prints 9.0 for 4.0', '')
    """
    words = [word for word in _TOKEN.findall(got) if _NUMBER.match(word)]
    if len(words) != len(exact):
        return ""
    for word, (value, eps) in zip(words, exact, strict=True):
        gap = abs(Decimal(word) - Decimal(repr(value)))
        half = _half_a_digit(Decimal(word))
        rounded = half * (not _is_integer(word)) + abs(Decimal(word)) * Decimal(4 * eps)
        if gap > rounded * Decimal("1.000001"):
            return f"it prints {word} for {value}"
    return ""


def _want(example: doctest.Example) -> str:
    """Return what is stated; of an error its type and message, not the stack."""
    return _HEADER + example.exc_msg if example.exc_msg else example.want


def _sides(want: str, got: str) -> str:
    sides = ("stated  ", want or "nothing"), ("computed", got)
    indent = "\n" + " " * 12
    return "\n".join(f"  {k}  {v.strip().replace(chr(10), indent)}" for k, v in sides)


def watch(namespace: Mapping[str, Any]) -> Callable[[], str | None]:
    """Remember the tensors; the answer tells which one changed since, and how."""
    tensors = {k: v for k, v in namespace.items() if isinstance(v, torch.Tensor)}
    for label, module in namespace.items():
        if isinstance(module, torch.nn.Module):
            tensors |= {f"{label}.{n}": p for n, p in module.named_parameters()}
    before = {label: _state(tensor) for label, tensor in tensors.items()}

    def changed() -> str | None:
        for label, tensor in tensors.items():
            for what, new in _state(tensor).items():
                old = before[label][what]
                if not (old is new or (isinstance(old, int) and old == new)):
                    return f"{what} of {label}"
        return None

    return changed


def _state(tensor: torch.Tensor) -> dict[str, object]:
    """What a look leaves alone; gradients are kept, so that ``is`` can compare."""
    grad = tensor.grad if tensor.is_leaf or tensor.retains_grad else None
    return {
        "the value": 0 if tensor.is_inference() else tensor._version,
        "requires_grad": tensor.requires_grad,
        "retains_grad": tensor.retains_grad,
        ".grad": grad,
        "the value of .grad": 0 if grad is None else grad._version,
    }
