#!/bin/sh
# Sphinx 9.0.4, sphinx-build -j 3, 200 small pages that take longer to write than to
# resolve (a handler of html-page-context takes a tenth of a second).  Guessed: a page is
# resolved when a process is free to write it, so that some tens of trees are held at most.
# Seen: the parent resolves all pages at once and holds most trees until their turn comes,
# and the last page is written in the first half: who waits longest is taken last.  Memory
# grows with the site where writing is what takes time.
# When the build has ended, its application is not freed by a collection (guessed: it is),
# and with it all that is known of the pages: the handlers of the logger "sphinx" hold it.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check \
    sphinx==9.0.4 docutils==0.22.4
mkdir "$folder/site"
cat >"$folder/ask.py" <<'END'
import gc
import logging
import sys
import time
from pathlib import Path
from weakref import ref

import docutils
import sphinx
from sphinx.application import Sphinx

print("sphinx", sphinx.__version__, "docutils", docutils.__version__)
COUNT, SLOW = 200, 0.1
folder = Path(sys.argv[1])
order = folder / "order"
names = [f"page{number:03}" for number in range(COUNT)]
for name in names:
    (folder / f"{name}.rst").write_text(f"{name}\n=======\n\nText.\n")
listed = "\n   ".join(names)
(folder / "index.rst").write_text(f"Site\n====\n\n.. toctree::\n\n   {listed}\n")
trees = []


def resolved(_app, tree, _name):
    trees.append(ref(tree))
    if len(trees) == COUNT:
        gc.collect()
        held = sum(tree() is not None for tree in trees)
        print("most trees are held at once:", held > 0.7 * COUNT)


def written(_app, name, *_):
    time.sleep(SLOW)
    with open(order, "a") as file:
        file.write(name + "\n")


def build():
    app = Sphinx(folder, None, folder / "out", folder / "trees", "html",
                 confoverrides={"project": "p"}, status=None, parallel=3)
    app.connect("doctree-resolved", resolved)
    app.connect("html-page-context", written)
    app.build()
    return ref(app)


app = build()
first = [name for name in order.read_text().split() if name in names][: COUNT // 2]
print("the last page is written in the first half:", names[-1] in first)
gc.collect()
print("freed after the build:", app() is None)
logging.getLogger("sphinx").handlers.clear()
gc.collect()
print("freed after that without the logger's handlers:", app() is None)
END
cat >"$folder/seen" <<'END'
sphinx 9.0.4 docutils 0.22.4
most trees are held at once: True
the last page is written in the first half: True
freed after the build: False
freed after that without the logger's handlers: True
END
"$folder/env/bin/python" -W ignore "$folder/ask.py" "$folder/site" | diff "$folder/seen" -
echo "as seen: sphinx-pages-wait-with-their-trees"
