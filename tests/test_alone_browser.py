"""A drawing saved as a page of its own: on a phone, all of it is seen."""

import pytest
import torch
from playwright.sync_api import Browser
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

from torchutils import make_dot, record_backward, trace_modules
from torchutils.drawing import PHONE, Drawing

PHONES = {"width": 390, "height": 800}
LOOK = """() => {
  const shown = (it) => getComputedStyle(it).visibility != "hidden";
  const scroll = document.querySelector(".ag-scroll");
  const svg = [...scroll.children].find((it) => getComputedStyle(it).display != "none");
  const wide = (it) => it.getBoundingClientRect().width;
  const out = [];
  let texts = 0;
  for (const node of svg.querySelectorAll(".ag-node")) {
    const room = wide(node.querySelector("rect"));
    for (const text of [...node.querySelectorAll("text")].filter(shown)) {
      texts += 1;
      if (wide(text) > room) out.push(text.textContent);
    }
  }
  const beyond = scroll.scrollWidth - scroll.clientWidth;
  return {out, texts, drawn: wide(svg), beyond};
}"""


def factors() -> Drawing:
    torch.manual_seed(0)
    a = torch.randn(2, 2, requires_grad=True)
    u, s, _ = torch.linalg.svd(a)
    _, size = torch.linalg.slogdet(a)
    return record_backward((u * s).sum() + size, {"a": a})


def lists() -> Drawing:
    torch.manual_seed(0)
    x = torch.randn(3, 1, 1, requires_grad=True)
    return record_backward((x * x).sum(), {"x": x})


def long_names() -> Drawing:
    torch.manual_seed(0)
    model = nn.Sequential(weight_norm(nn.Linear(3, 4)))
    with trace_modules(model):
        y = model(torch.ones(1, 3)).sum()
    return make_dot(y, model)


@pytest.mark.parametrize("make", [factors, lists, long_names])
def test_text_stays_in_its_box_and_a_drawing_for_a_phone_on_it(
    browser: Browser, tmp_path, make
):
    path = make().save(tmp_path / "drawing.html")
    page = browser.new_page(viewport=PHONES)
    try:
        page.goto(path.as_uri())
        seen = page.evaluate(LOOK)
    finally:
        page.close()
    assert seen["out"] == []
    assert seen["texts"] > 5
    assert seen["drawn"] > PHONE or seen["beyond"] <= 0
