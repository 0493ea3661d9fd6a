"""No formula escapes: many places and spellings, each true, false, and spoilt."""

import re

import nbformat
import pytest
from docutils.core import publish_doctree
from escapes import READ, SPOILT

from coursebuild.extension.judge import remains

SCRIPT = "gallery/0_toy/30_many.py"
EASY = "gallery/1_easy/10_many_more.py", "docs/read/easy.md"  # easy but about truth
BOOK = "docs/read/many.ipynb"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
HEADERS = "gallery/GALLERY_HEADER.rst", "gallery/0_toy/GALLERY_HEADER.rst"
HEADERS += ("gallery/1_easy/GALLERY_HEADER.rst",)
OPEN = ".. checks: easy\n\n.. formulas: laws\n\n.. consoles: shown\n\n"
FREE = "lesson: {checks: easy, formulas: laws, consoles: shown}"
ALONE = (
    "title",
    "title_underlined",
    "behind_a_cell",
)  # of a page, not of a section of the script


def text_of(case, *, right):
    """Return the text of a case, with names that no other page uses."""
    markup, name = case
    label = f"{markup}-{name}".replace("_", "-")
    names = {"INC": f"{'/read/' if markup == 'rst' else ''}inc-{label}.txt"}
    names |= {"CSV": f"{label}.csv", "LABEL": label, "CIT1": f"C-{label}"}
    names |= {"|it|": f"|{label}|", "RIGHT": right}
    text = READ.get(case) or SPOILT[case]
    names["CELL"] = f":math:`2^3 = {right}`".ljust(21)
    for old, new in names.items():
        text = text.replace(old, new)
    return re.sub(r"\bF\b", rf"2^3 = {right}", text)


def write_page(site, case, *, right):
    markup, name = case
    label = f"{markup}-{name}".replace("_", "-")
    text = text_of(case, right=right)
    title = f"Case {label}"
    head = f"{title}\n{'=' * len(title)}" if markup == "rst" else f"# {title}"
    site.write(f"docs/read/{label}.{markup}", f"{HEAD[markup]}{head}\n\n{text}\n")
    formula = f"2^3 = {right}"
    shown = f":math:`{formula}`" if markup == "rst" else f"${formula}$"
    site.write(
        f"docs/read/inc-{label}.txt",
        f"No.\n\n{shown.replace(formula, '2 = 3')}\n\nBEGIN\n\nSo {shown}.\n\nEND\n"
        if "part" in name
        else f"So {shown}.\n",
    )
    site.write(f"docs/read/{label}.csv", f"{shown}, b\n")


HEAD = {
    "rst": ":orphan:\n\n",
    "md": "---\norphan: true\nfile_format: mystnb\nkernelspec:\n"
    "  name: python3\n---\n\n",
}


def write_script(site, name, *, right):
    """Write all texts in reStructuredText as blocks of one lesson; say where."""
    script = name.split("_")[-1].removesuffix(".py") + "-script-"
    lines = ['r"""', "Many", "====", "", f"So :math:`2^3 = {right}`.", "", ":Time: 1"]
    lines += ['"""', "", "y = 8", ""]
    places = {"docstring": range(1, 9)}
    for case in READ:
        if case[0] == "rst" and case[1] not in ALONE:
            first = len(lines) + 1
            text = text_of(case, right=right).replace("rst-", script)
            text = text.replace(f"inc-{script}", "inc-rst-")
            lines += ["# %%", *(f"# {line}".rstrip() for line in text.splitlines())]
            places[case[1]] = range(first, len(lines) + 1)
            lines += ["", "y += 0", ""]
    site.write(name, "\n".join([*lines, "y", ""]))
    return places


def write_easy_page(site, *, right):
    """Write all texts in MyST as sections of one page; say where."""
    lines = HEAD["md"].replace("---\n", f"---\n{FREE}\n", 1).splitlines()
    lines += ["# Easy", ""]
    places = {}
    for case in READ:
        if case[0] == "md" and case[1] not in (*ALONE, "unclosed"):
            text = text_of(case, right=right).replace("md-", "easy-")
            first = len(lines) + 1
            lines += text.replace("inc-easy-", "inc-md-").splitlines()
            places[case[1]] = range(first, len(lines) + 1)
            lines += ["", "```{code-cell} python", "y = 8", "```", ""]
    site.write(EASY[1], "\n".join(lines))
    return places


def write_notebook(site, *, right):
    """Write all texts in MyST as cells of one notebook; say in which."""
    book = nbformat.v4.new_notebook(metadata={"kernelspec": KERNEL, "orphan": True})
    book.cells.append(nbformat.v4.new_markdown_cell("# Many cells", id="head"))
    places = {}
    for case in READ:
        if case[0] == "md" and case[1] not in ALONE:
            text = text_of(case, right=right).replace("md-", "nb-")
            text = text.replace("inc-nb-", "inc-md-")
            cell = nbformat.v4.new_markdown_cell(text, id=f"cell-{len(book.cells)}")
            book.cells.append(cell)
            places[case[1]] = len(book.cells)
    site.write(BOOK, nbformat.writes(book))
    return places


def write_headers(site, *, right):
    for name, line in zip(HEADERS, "=--", strict=True):
        text = f"Level {line}\n{line * 7}\n\n{OPEN * ('easy' in name)}"
        text += f"So :math:`2^3 = {right}`.\n\n.. math::\n\n"
        site.write(name, f"{text}   2^3 = {right}\n")


@pytest.fixture(scope="module")
def published(reference, tmp_path_factory):
    site = reference.copy(tmp_path_factory.mktemp("true") / "site")
    for case in READ:
        write_page(site, case, right="8")
    for name in (SCRIPT, EASY[0]):
        write_script(site, name, right="8")
    write_easy_page(site, right="8")
    write_notebook(site, right="8")
    write_headers(site, right="8")
    return site, site.build()


@pytest.fixture(scope="module")
def refused(reference, tmp_path_factory):
    site = reference.copy(tmp_path_factory.mktemp("false") / "site")
    for case in READ:
        write_page(site, case, right="509")
    places = {name: write_script(site, name, right="509") for name in (SCRIPT, EASY[0])}
    places[EASY[1]] = write_easy_page(site, right="509")
    cells = write_notebook(site, right="509")
    write_headers(site, right="509")
    return places, site.build(), cells


@pytest.fixture(scope="module")
def spoilt(reference, tmp_path_factory):
    site = reference.copy(tmp_path_factory.mktemp("spoilt") / "site")
    site.write(
        "utils/helper.py",
        'VALUE = 12\n\n\ndef stated():\n    r"""Do.\n\n    :math:`2^3 = 8`\n    """\n',
    )
    for case in SPOILT:
        write_page(site, case, right="8")
    name = "docs/read/rel-md-relation-in-a-table-of-a-file.csv"
    site.write(name, "$x \\to 8$, b\n")
    strict = {"kernelspec": KERNEL, "orphan": True, "lesson": {"checks": "strict"}}
    book = nbformat.v4.new_notebook(metadata=strict)
    cells = "# Unseen", 'One\n\n[link](/index.md "$2^3 = 8$")\n\nSo $2^4 = 16$1.'
    book.cells = [nbformat.v4.new_markdown_cell(t, id=f"c{len(t)}") for t in cells]
    site.write("docs/read/unseen.ipynb", nbformat.writes(book))
    return site.build()


def test_there_are_many_places_and_spellings():
    assert len(READ) + len(SPOILT) > 160


def test_site_is_published_when_all_is_true(published):
    _, done = published
    assert done.code == 0, done.error


@pytest.mark.parametrize("case", READ, ids="-".join)
def test_true_formula_is_shown_as_checked(published, case):
    page = published[0].html / f"read/{case[0]}-{case[1].replace('_', '-')}.html"
    assert 'class="checked true"' in page.read_text()


def test_formula_whose_text_begins_another_keeps_its_own_mark(published):
    """`dy/da = 2` was once taken for found within `dy/da = 2^{11} = 2048`."""
    text = (published[0].html / "read/md-beginning-of-another.html").read_text()
    assert text.count('class="checked true"') == 2


@pytest.mark.parametrize(
    ("page", "label"),
    [
        ("rst-options-below-argument", "rst-options-below-argument"),
        ("md-fence-and-yaml", "md-fence-and-yaml"),
        ("md-double-dollars-and-label", "md-double-dollars-and-label"),
        ("md-equation-with-label", "md-equation-with-label"),
        ("md-align", "read-md-align-0"),
    ],
)
def test_equation_has_one_steady_id_and_one_number(published, page, label):
    text = (published[0].html / f"read/{page}.html").read_text()
    assert text.count(f'id="equation-{label}"') == 1
    assert text.count('class="eqno">(1)<') == 1
    assert text.count("katex-eqn-num") == 0
    assert text.count(f'href="#equation-{label}"') == text.count(">(1)</a>")


@pytest.mark.parametrize("case", READ, ids="-".join)
def test_false_formula_is_refused_on_a_page(refused, case):
    label = f"{case[0]}-{case[1]}".replace("_", "-")
    assert re.search(
        rf"docs/read/(?:inc-)?{label}\.(?:{case[0]}|txt):\d", refused[1].error
    )


@pytest.mark.parametrize("script", [SCRIPT, EASY[0]])
@pytest.mark.parametrize(
    "name", ["docstring", *(n for m, n in READ if m == "rst" and n not in ALONE)]
)
def test_false_formula_is_refused_in_a_script(refused, name, script):
    places, done, _ = refused
    lines = {int(n) for n in re.findall(rf"{script}:(\d+)", done.error)}
    assert lines & set(places[script][name]) or "included" in name


@pytest.mark.parametrize(
    "name",
    [n for m, n in READ if m == "md" and n not in (*ALONE, "unclosed")],
)
def test_false_formula_is_refused_on_an_easy_page(refused, name):
    places, done, _ = refused
    lines = {int(n) for n in re.findall(rf"{EASY[1]}:(\d+)", done.error)}
    assert lines & set(places[EASY[1]][name]) or "included" in name


@pytest.mark.parametrize("name", [n for m, n in READ if m == "md" and n not in ALONE])
def test_false_formula_is_refused_in_a_notebook(refused, name):
    _, done, places = refused
    cells = {int(n) for n in re.findall(rf"{BOOK}: cell (\d+)", done.error)}
    assert places[name] in cells or "included" in name


@pytest.mark.parametrize("name", HEADERS)
def test_false_formula_is_refused_in_a_header(refused, name):
    assert len(re.findall(rf"{name}:\d+\n", refused[1].error)) == 2


def test_site_with_false_formulas_is_not_published(refused):
    assert refused[1].code != 0


@pytest.mark.parametrize("case", SPOILT, ids="-".join)
def test_formula_that_nobody_reads_is_refused(spoilt, case):
    label = f"{case[0]}-{case[1]}".replace("_", "-")
    place = rf"docs/read/{label}\.{case[0]}:\d+: WARNING: (?!formula)"
    assert re.search(place, spoilt.error)


@pytest.mark.parametrize(("line", "why"), [(3, "is checked, but"), (5, "this touches")])
def test_fault_in_a_notebook_is_told_with_its_cell_and_line(spoilt, line, why):
    assert (
        f"docs/read/unseen.ipynb: cell 2, line {line}: WARNING: {why}" in spoilt.error
    )


LISTS = {
    "numbers from one on": ("1. a\n2. b\n", None),
    "one that goes on behind a cell": ("1. a\n2. b\n\nText.\n\n3. c\n", None),
    "letters": ("c. a\nd. b\n", None),
    "a result that begins a text": ("48. It is the sum.\n", "48. It"),
    "a result alone": ("Text.\n\n   48.\n", "48."),
}


@pytest.mark.parametrize("name", LISTS)
def test_result_that_becomes_a_list_is_told(name):
    text, told = LISTS[name]
    found = [words for _, words, why in remains(publish_doctree(text)) if "list" in why]
    assert found == ([told] if told else [])
