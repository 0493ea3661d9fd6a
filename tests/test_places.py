"""Where the site and its sources are published."""

from __future__ import annotations

from pathlib import Path

import pytest

from coursebuild.addresses import Places, edit, raw, read_places

SITE, REPOSITORY = "https://ada.org/course/", "https://github.com/ada/engine"


def project(folder: Path, **urls: str) -> Path:
    """Write a pyproject.toml that names some addresses."""
    table = "".join(f'{name} = "{address}"\n' for name, address in urls.items())
    (folder / "pyproject.toml").write_text(f"[project]\n[project.urls]\n{table}")
    return folder


def test_nothing_configured_is_empty(tmp_path: Path) -> None:
    assert read_places(project(tmp_path), {}) == Places("", "")


def test_addresses_are_those_of_pyproject(tmp_path: Path) -> None:
    root = project(tmp_path, Homepage=SITE.rstrip("/"), Repository=REPOSITORY + "/")
    assert read_places(root, {"GITHUB_REPOSITORY": "x/y"}) == Places(SITE, REPOSITORY)


def test_github_names_what_pyproject_leaves_out(tmp_path: Path) -> None:
    found = read_places(project(tmp_path), {"GITHUB_REPOSITORY": "ada/engine"})
    assert found == Places("https://ada.github.io/engine/", REPOSITORY)


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("Homepage", "ada.org"),
        ("Homepage", "https://ada.org/?page=1"),
        ("Homepage", "javascript:alert(1)"),
        ("Repository", "https://gitlab.com/ada/engine"),
        ("Repository", "https://github.com/ada"),
    ],
)
def test_address_of_another_form_is_named(
    tmp_path: Path, name: str, address: str
) -> None:
    with pytest.raises(ValueError, match=r"pyproject.toml\) must look like") as caught:
        read_places(project(tmp_path, **{name: address}), {})
    assert f"{name} {address!r}" in str(caught.value)


def test_repository_that_github_misnames_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"'https://github.com/ada' \(GitHub\)"):
        read_places(project(tmp_path), {"GITHUB_REPOSITORY": "ada"})


def test_links_hold_odd_names() -> None:
    assert edit(REPOSITORY, "gallery/0 ä/1.py").endswith("/gallery/0%20%C3%A4/1.py")
    assert raw(REPOSITORY, "a.whl") == (
        "https://raw.githubusercontent.com/ada/engine/notebooks/a.whl"
    )
