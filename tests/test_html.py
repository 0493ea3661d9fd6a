"""Every page, and the page that readers save, before the Nu HTML checker."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch
from vnu import faults

from torchutils import record_backward

# This release of the checker knows no container queries; a saved page carries some.
NEWER = ("“container-type” doesn't exist", "Unrecognized at-rule “@container”")
SITE = Path(__file__).parents[1] / "build" / "html"


def test_no_page_has_an_error_a_warning_or_a_remark(tmp_path):
    x = torch.arange(3.0, requires_grad=True)
    saved = tmp_path / "saved.html"
    record_backward(x.dot(x**2), {"x": x}).save(saved)
    pages = sorted(SITE.resolve().rglob("*.html"))
    assert len(pages) > 20
    found = faults([saved, *pages])
    assert [line for line in found if not any(words in line for words in NEWER)] == []


def test_checker_reports_what_is_wrong(tmp_path):
    page = tmp_path / "page.html"
    page.write_text("<!doctype html><html lang=en><title>A</title><p id=a><p id=a>")
    found = faults([page])
    assert any(": error: Duplicate ID" in line for line in found)
    assert all(line.startswith(f"{page}:") for line in found)


def test_checker_that_has_nothing_to_check_fails():
    with pytest.raises(RuntimeError, match="no page to check"):
        faults([])


def test_every_picture_is_well_formed():
    pictures = sorted(SITE.resolve().rglob("*.svg"))
    assert len(pictures) > 20
    for picture in pictures:
        ElementTree.parse(picture)
