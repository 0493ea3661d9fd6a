#!/bin/sh
# pandoc 3.9 (pypandoc_binary 1.17) reads reStructuredText: a formula with ":label: slope" and
# a reference to it.  Expected: the label stays, or a warning is given.  Seen: from rst to rst
# the reference stays and the label is gone, so the result no longer builds; to LaTeX there
# is no \label, to HTML an attribute data-label that no link can reach; all of it silent.  The
# reader keeps it as an attribute "label", not as an identifier, and the writers do not know it.
# And the literal ``a```b``: expected a```b, as docutils reads it; seen a literal a and debris.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --quiet --disable-pip-version-check pypandoc_binary==1.17 docutils==0.22.4
cat >"$folder/ask.py" <<'END'
import contextlib
import docutils.core
import pypandoc
print("pandoc", pypandoc.get_pandoc_version())
formula = ".. math::\n   :label: slope\n\n   y = x^2\n\nSee :eq:`slope`.\n"
for to in ("rst", "latex", "html"):
    words = pypandoc.convert_text(formula, to, format="rst", extra_args=["--fail-if-warnings", "--mathml"])
    print(to, "label" in words, 'id="slope"' in words, "slope" in words)
print(pypandoc.convert_text(formula, "rst", format="rst"))
literal = "``a```b``"
print("docutils", docutils.core.publish_doctree(literal).findall().__next__()[0][0].pformat().split())
print("pandoc", pypandoc.convert_text(literal, "html", format="rst"))
END
cat >"$folder/seen" <<'END'
pandoc 3.9
rst False False True
latex False False True
html True False True
.. math:: y = x^2

See :eq:`slope`.

docutils ['<literal>', 'a```b']
pandoc <p><code>a</code><span class="title-ref">b</span>`</p>

END
"$folder/env/bin/python" "$folder/ask.py" | diff "$folder/seen" -
echo "as seen: pandoc-an-equation-loses-its-label"
