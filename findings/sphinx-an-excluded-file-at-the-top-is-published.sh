#!/bin/sh
# Sphinx 8.1.3 and 9.0.4, a site with html_static_path, html_extra_path and
# exclude_patterns, whose documentation says that the last filters the first two.  Guessed
# (expected, where it was met at work): what a pattern names is not copied, wherever it
# stands in its folder, in both releases.  Seen: so in 8.1.3; in 9.0.4 (and in 8.2.3, tried
# once) a file or folder at the top of the folder is copied in silence, while the same
# pattern works one folder below: what stands at the top is asked for as "./name".  The
# pattern "**/name" excludes it in both.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for version in 8.1.3 9.0.4; do
    python3 -m venv "$folder/$version"
    "$folder/$version/bin/pip" install --quiet --quiet --disable-pip-version-check \
        sphinx=="$version" docutils==0.21.2
done
for place in static extra; do
    for name in a/in.txt b.txt c/in.txt d.txt below/a/in.txt below/b.txt kept.txt; do
        mkdir -p "$(dirname "$folder/site/$place/$name")"
        echo text >"$folder/site/$place/$name"
    done
done
printf 'Site\n====\n\nText.\n' >"$folder/site/index.rst"
cat >"$folder/site/conf.py" <<'END'
html_static_path = ["static"]
html_extra_path = ["extra"]
exclude_patterns = ["a", "b.txt", "**/c", "**/d.txt", "below/a", "below/b.txt"]
END
cat >"$folder/expected" <<'END'
sphinx 8.1.3
./_static/kept.txt
./kept.txt
sphinx 9.0.4
./_static/a/in.txt
./_static/b.txt
./_static/kept.txt
./a/in.txt
./b.txt
./kept.txt
END
for version in 8.1.3 9.0.4; do
    "$folder/$version/bin/python" -m sphinx -q -b html "$folder/site" "$folder/out-$version"
    echo "sphinx $version"
    (cd "$folder/out-$version" && find . -name 'in.txt' -o -name 'b.txt' -o -name 'd.txt' \
        -o -name 'kept.txt' | sort)
done >"$folder/seen"
diff "$folder/expected" "$folder/seen"
echo "as seen: sphinx-an-excluded-file-at-the-top-is-published"
