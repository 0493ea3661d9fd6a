#!/bin/sh
# Jupytext 1.19.6: a notebook written as text and read again, with a Markdown cell that shows
# a fence between longer fences, as one shows how a code block is written.  Guessed: the same
# cells come back; a fence of three is marked as a region for just this.  Seen: as md, the
# code cell after a fence of four is text of the Markdown cell from then on, and is run no
# more, in silence; as Rmd too, also with a language after the four.  Tildes are kept, and
# md:myst and py:percent keep all.  The reader's test of a fence is "^```", whatever the
# length: the four open a block, the three within close it, and the four at the end open
# another, which lasts until the next cell's fence closes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check \
    jupytext==1.19.6 nbformat==5.11.0
cat >"$folder/ask.py" <<'END'
import jupytext
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

print("jupytext", jupytext.__version__)
metadata = {
    "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
    "language_info": {"name": "python"},
}
for words, text in {
    "a fence": "```python\nx = 1\n```",
    "a fence of four": "````\n```python\nx = 1\n```\n````",
    "a fence of tildes": "~~~~\n```python\nx = 1\n```\n~~~~",
    "a fence of four, with a language": "````markdown\n```python\nx = 1\n```\n````",
    "a fence of four around text": "````\n```text\nx\n```\n````",
}.items():
    print(words)
    for kind in ("md", "Rmd", "md:myst", "py:percent"):
        cells = [new_markdown_cell(text), new_code_cell("y = 2"), new_code_cell("z = 3")]
        written = jupytext.writes(new_notebook(cells=cells, metadata=metadata), fmt=kind)
        read = jupytext.reads(written, fmt=kind).cells
        same = [cell.source for cell in read] == [cell.source for cell in cells]
        told = [cell.cell_type for cell in read if "=" in cell.source or "`" in cell.source]
        print(f"   {kind}: {'as it was' if same else ' '.join(told)}")
END
cat >"$folder/seen" <<'END'
jupytext 1.19.6
a fence
   md: as it was
   Rmd: as it was
   md:myst: as it was
   py:percent: as it was
a fence of four
   md: markdown code
   Rmd: markdown code
   md:myst: as it was
   py:percent: as it was
a fence of tildes
   md: as it was
   Rmd: as it was
   md:myst: as it was
   py:percent: as it was
a fence of four, with a language
   md: as it was
   Rmd: markdown code
   md:myst: as it was
   py:percent: as it was
a fence of four around text
   md: markdown code
   Rmd: markdown code
   md:myst: as it was
   py:percent: as it was
END
"$folder/env/bin/python" -W ignore "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: jupytext-a-fence-of-four-takes-the-next-cell"
