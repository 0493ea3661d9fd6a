"""What is left of a cell's text after a terminal has obeyed it."""

import pytest

from courserun.terminal import legible, settled

BAR = "\r  0%|    | 0/2\r 50%|##  | 1/2\r100%|####| 2/2\n"
CASES = [
    ("plain\ntext é\t.\n", "plain\ntext é\t.\n"),
    ("dos\r\nlines\r\n", "dos\nlines\n"),
    (BAR, "100%|####| 2/2\n"),
    ("long line\rshort", "shortline"),
    ("12\b3", "13"),
    ("\b\bx", "x"),
    ("\x1b[31mred\x1b[0m and \x1b[38;2;1;2;3mblue\x1b[m", "red and blue"),
    ("a\x1b[Kb", "ab"),
    ("12345\r\x1b[K67", "67"),
    ("12345\x1b[2K\r67", "67"),
    ("one\ntwo\x1b[A\rONE", "ONE\ntwo"),
    ("one\ntwo\x1b[2J\x1b[Hnew", "new\n"),
    ("a\x1b[3Cb", "a   b"),
    ("\x1b]8;;https://a.b\x1b\\link\x1b]8;;\x1b\\", "link"),
    ("\x1b]0;title\x07text", "text"),
    ("\x1b(Btext\x1b", "text"),
    ("\x00a\x07b\x7fc\x9bd", "abcd"),
    ("\ud800\ufffe\ufdd0.", "."),
    ("a\x1b[999999999Bb\x1b[99999Ac", "abc"),
]


@pytest.mark.parametrize(("written", "seen"), CASES)
def test_settled_is_what_a_terminal_shows(written: str, seen: str) -> None:
    assert settled(written) == seen


def test_legible_leaves_nothing_that_xml_forbids() -> None:
    everything = "".join(map(chr, range(0x110000)))
    kept = legible(everything)
    assert not any(ord(c) < 32 and c not in "\t\n" for c in kept)
    assert kept.encode("utf-8").decode() == kept
    assert "\ufffd" in kept
