"""The site's configuration: only what differs from the defaults."""

import tomllib
from pathlib import Path

from coursebuild.addresses import read_places

ROOT = Path(__file__).parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PLACES = read_places(ROOT)  # where site and sources are published

project = "Gradients with PyTorch"
author = "The developers of Gradients with PyTorch"
version = release = PROJECT["version"]
project_copyright = f"{author}. Code MIT, text CC BY-SA 4.0"

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosectionlabel",
    "sphinx_gallery.gen_gallery",
    "myst_nb",
    "coursebuild.extension",
    "coursebuild.extension.head",
    "coursebuild.extension.site_files",
    "coursebuild.extension.paper",
    "sphinx_copybutton",
]
exclude_patterns = [
    "lessons/**/*.ipynb",  # myst-nb would take them for pages and run them again
    "**/.ipynb_checkpoints",  # what Jupyter keeps of older notebooks
    # "**/", since Sphinx 9.0.4 copies what stands at the top of a folder (findings/).
    "**/katex.min.js",  # runs while building only
    "**/axe-core",  # tests only
    "**/README.md",
]
nitpicky = True
suppress_warnings = [
    "sphinx_gallery.space_in_filename",  # the folder's name is the author's own
]
default_role = None

# Lessons: executed by courserun.runner, which sphinx-gallery takes outputs from.
sphinx_gallery_conf = {
    "examples_dirs": [str(ROOT / "gallery")],
    "gallery_dirs": ["lessons"],
    "filename_pattern": "",  # every script is a lesson
    "within_subsection_order": "FileNameSortKey",
    "remove_config_comments": True,
    "download_all_examples": False,
    "write_computation_times": False,  # never the same twice
    "min_reported_time": 1e9,
    "show_signature": False,
    "css": [],  # site.css styles what it brings
    "inspect_global_variables": False,
    "image_scrapers": (),  # nothing is executed here that would draw,
    "reset_modules": (),  # so nothing needs matplotlib
}
nb_execution_mode = "off"  # coursebuild.lessons.pages executes
myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence", "deflist"]
myst_heading_anchors = 3

autosectionlabel_prefix_document = True  # many lessons have a section "Exercises"
glossary_ignores = [  # too common to be a help, or another word altogether
    "a root",
    "batch normalisation",
    "cube root",
    "derivative",
    "edge of",  # of a stair
    "gradient",
    "hyperbolic tangent",
    "its edge",  # of a picture; a path's edges are linked where they are next named
    "its edges",
    "leaves",  # a verb as well; "leaf" is linked
    "loss",
    "lower edge",
    "near an edge",
    "node",
    "path",
    "root at",
    "root of",  # of a number
    "roots of",
    "shape",
    "square root",
    "tensor",
    "view",
]

autodoc_typehints = "signature"
autodoc_member_order = "bysource"
python_use_unqualified_type_names = True
named_types = [  # docs/api.md says what they are; each may hold those above it
    "torchutils.values.Value",
    "torchutils.moving.Numbers",
    "torchutils.select.Choice",
    "torchutils.graph.Row",
    "torchutils.graph.WireRow",
]

html_theme = "furo"
html_title = project
html_static_path = ["docs/_static", "vendor"]
html_css_files = [
    "katex/katex.min.css",
    "site.css",
    "walk.css",
    "moving.css",
    "ask.css",
    "running.css",
    "finding.css",
    "access.css",
    "print.css",
]
html_js_files = [
    "scroll.js",
    "progress.js",
    "cover.js",
    "copied.js",
    "terms.js",
]
html_baseurl = PLACES.site
repository = PLACES.repository
html_copy_source = False
html_show_sphinx = False
templates_path = ["docs/_templates"]
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"
