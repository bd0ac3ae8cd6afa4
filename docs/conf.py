"""Sphinx configuration: MyST Markdown, built without the network."""

from __future__ import annotations

from gatehook import __version__

project = "Gatehook"
author = "The Gatehook authors"
project_copyright = "The Gatehook authors, Apache-2.0"
version = release = __version__

extensions = ["myst_parser"]
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build", "generating", "README.md"]
html_theme = "furo"
html_title = f"Gatehook {__version__}"
html_extra_path = ["manifest.schema.json", "wire.schema.json"]
html_theme_options = {"top_of_page_buttons": []}
pygments_style = "default"
