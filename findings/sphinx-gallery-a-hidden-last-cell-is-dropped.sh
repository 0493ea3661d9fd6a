#!/bin/sh
# sphinx-gallery 0.22.1 on Sphinx 9.0.4: cells whose code stands between start_ignore and
# end_ignore, so that only their output shows.  Expected: the output shows wherever the cell
# stands.  Seen: in the middle it does; as the last cell of the script it is executed, and
# what it printed is not on the page, without a warning.  After the ignored lines are cut, a
# last block of white space alone is taken for the remains of a configuration comment and is
# removed together with its output.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check sphinx==9.0.4 sphinx-gallery==0.22.1
cat >"$folder/ask.py" <<'END'
import os
import pathlib
import subprocess
import sys
from importlib.metadata import version
print("sphinx-gallery", version("sphinx-gallery"))
top = pathlib.Path(os.environ["folder"], "site")
lessons = top / "lessons"
lessons.mkdir(parents=True)
hidden = '''
# %%
# Text.

# sphinx_gallery_start_ignore
open("{0}", "w").close()
print("{0} was here")
# sphinx_gallery_end_ignore
'''
head = '"""\nTitle\n=====\n\nText.\n"""\n\nx = 1\n'
(lessons / "plot_a.py").write_text(head + hidden.format("middle") + hidden.format("last"))
(lessons / "README.txt").write_text("Lessons\n=======\n")
(top / "index.rst").write_text("Site\n====\n\n.. toctree::\n\n   out/index\n")
(top / "conf.py").write_text('''
extensions = ["sphinx_gallery.gen_gallery"]
sphinx_gallery_conf = dict(
    examples_dirs="lessons", gallery_dirs="out", image_scrapers=(), reset_modules=()
)
''')
build = [sys.executable, "-m", "sphinx", "-q", "-W", str(top), str(top / "html")]
print("exit code", subprocess.run(build).returncode)
page = (top / "html/out/plot_a.html").read_text()
for word in ("middle", "last"):
    print(word, "executed:", (lessons / word).exists(), "shown:", f"{word} was here" in page)
END
cat >"$folder/seen" <<'END'
sphinx-gallery 0.22.1
exit code 0
middle executed: True shown: True
last executed: True shown: False
END
folder=$folder "$folder/env/bin/python" "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: sphinx-gallery-a-hidden-last-cell-is-dropped"
