"""How Sphinx makes the site: furo, Markdown by MyST, formulas as MathML at build, nothing from a network."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import ddtheory

project = "ddtheory"
author = copyright = "The ddtheory authors"
version = release = ddtheory.__version__
language = "en"

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_click",
    "website.docstrings",
    "website.formulas",
    "website.links",
]
exclude_patterns = ["website", "generated/extra"]
suppress_warnings = ["ref.python"]  # an annotation such as Literal["lower"] is no reference to any attribute `lower`

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # `docs/build.py` brings the notebooks executed
nb_merge_streams = True

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
maximum_signature_line_length = 88
python_use_unqualified_type_names = True
napoleon_use_param = False  # an entry may speak of two arguments at once
napoleon_use_ivar = True
add_module_names = False
default_role = "code"
smartquotes = False

html_theme = "furo"
html_title = f"ddtheory {release}"
html_static_path = ["_static"]
html_extra_path = ["generated/extra"]
html_css_files = ["site.css"]
html_js_files = [("filter.js", {"defer": "defer"})]
html_math_renderer = "mathml"
html_copy_source = False
html_show_sphinx = False
html_theme_options = {"navigation_with_keys": True}

man_pages = [("command-line", "ddtheory", "derives, measures and judges claims of singular learning theory", author, 1)]
