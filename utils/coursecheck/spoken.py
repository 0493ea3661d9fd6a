r"""Read what a text says of a formula in words: ``\ :math:`2^3` is 50``.

Readers take it for an equation, so it has to be true; but it has no mark, and is
looked at only where it can mean nothing else: the formula is the subject of its
sentence, and the number ends what is said.  A condition (``if``, ``at``, ``for``)
moves the sentence somewhere else, and what no value can be found for is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from coursecheck.maths import RELATION, Maths

__all__ = ["spoken"]

_END = r"(?P<close>`(?::[\w.+-]+:)?|\$(?!\$))"
_VERB = (
    r"\s+(?:(?:then|now|thus|therefore|hence|again|also)\s+)?"
    r"(?:is|are|was|equals?|gives|becomes|makes|yields|remains|stays"
    r"|(?:is|are)\s+equal\s+to)\s+"
    r"(?:(?:again|now|exactly|then|therefore|still|always|just|only)\s+)?"
    r"(?P<about>(?:about|roughly|approximately|nearly|almost)\s+)?"
)
_ONE = r"[-−+]?\d+(?:\.\d+)?(?:/\d+)?"
_NUMBER = (
    rf"[*$]{{0,2}}(?::math:`|\{{math\}}`)?(?P<number>{_ONE}|zero)[*`$]{{0,2}}"
    r"(?=\s*(?:,(?!\s*(?:\d|or\b))|[;!?)]|\.(?!\d)|\Z|\n\s*\n|\s(?:and|but|so|since|because|too|again)\b))"
)
_SAID = re.compile(rf"{_END}{_VERB}{_NUMBER}")
_START = re.compile(r"[.!?:;]\s|\n\s*\n|\n\s*(?:[-*+]|\d+\.)\s|\A|[(]")
_SUBJECT = re.compile(
    r"(?:(?:[-*+]|\d+\.)\s+)?(?:.*[,–—]|(?:.*\b)?(?:so|and|but|that|since|because|thus|hence|therefore|here"
    r"|again|indeed|while))?\s*(?:[Tt]he\s+(?:number|value|result|loss|power|product"
    r"|sum|norm)\s+)?[\s*({]*(?::\w+:`|\{\w+\}`|`|\$)?",
    re.DOTALL | re.IGNORECASE,
)
_ELSEWHERE = re.compile(
    r"\b(?:at|if|when|whenever|where|wherever|unless|until|for|let|say|suppose|assume"
    r"|assuming|with|would|once|after|before|not|nobody|never|thinks?|believes?|claims?"
    r"|wrong|mistake|in|from|by|until|till)\b",
    re.IGNORECASE,
)


def spoken(source: str, formulas: Iterable[Maths]) -> Iterator[Maths]:
    """Yield an equation for each formula that a text gives a number in words.

    >>> from coursecheck.maths import find_maths
    >>> text = "So $2^3$ is 50. If $x$ is 3, then stop."
    >>> [equation.text for equation in spoken(text, find_maths(text, "md"))]
    ['2^3 = 50']
    """
    for maths in formulas:
        said = _SAID.match(source, maths.start + len(maths.text))
        if not said or maths.law or RELATION.search(maths.text):
            continue
        *_, start = (m.end() for m in _START.finditer(source, 0, maths.start))
        before, behind = source[start : maths.start], source[said.end() :]
        rest = re.split(r"[.!?;](?!\d)|\n\s*\n", behind, maxsplit=1)[0]
        moved = _ELSEWHERE.search(before) or _ELSEWHERE.search(rest)
        if _SUBJECT.fullmatch(before) and not moved:
            number = said["number"].replace("−", "-").replace("zero", "0")
            sign = r"\approx" if said["about"] else "="
            yield replace(maths, text=f"{maths.text} {sign} {number}")
