"""Links to the documentation of torch and Python, looked up in the libraries."""

import pytest

from coursebuild.extension.python_links import documentation


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("torch.autograd.grad", "/generated/torch.autograd.grad.html"),
        ("torch.Tensor.backward", "/generated/torch.Tensor.backward.html"),
        ("torch.Tensor", "/tensors.html"),
        ("torch.nn.Module", "/generated/torch.nn.Module.html"),
        ("pathlib.Path", "/library/pathlib.html#pathlib.Path"),
        ("collections.abc.Mapping", "/collections.abc.html#collections.abc.Mapping"),
    ],
)
def test_name_leads_to_its_page(name, end):
    assert documentation(name).endswith(end)


@pytest.mark.parametrize(
    "name",
    ["torch.autograd.gard", "torch.Tensor.bakward", "pathlib.Pth", "y", "nmpy.x"],
)
def test_name_that_does_not_exist_has_no_page(name):
    assert documentation(name) is None
