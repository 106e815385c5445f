"""How Sphinx builds these pages: `make docs`."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent)]

from asyncconsole._version import __version__  # noqa: E402 - needs the path above

project = "asyncconsole"
author = "the asyncconsole authors"
copyright = author  # noqa: A001 - Sphinx asks for this name
release = version = __version__

extensions = ["myst_parser", "console_commands"]
exclude_patterns = ["_build", "_ext"]
html_theme = "furo"
html_title = f"asyncconsole {release}"
html_show_sourcelink = False
html_copy_source = False
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3
pygments_style = "sphinx"
