"""The settings of Sphinx for the site. `make site` copies them beside the pages.

A link to a file that is no page has the form `listing:PATH#NAME`. It becomes a link to a page with
the text of that file, and NAME is a function or a class in it.
"""

# ruff: noqa: INP001  a script for Sphinx, no package

import html
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from tools.links import lines_of_definitions

TOP = Path(os.environ["RESTANTE_TOP"])
SCHEME = "listing:"
LEXERS = {".py": "python", ".toml": "toml", ".json": "json", ".yml": "yaml", ".sh": "bash"}

project = "Restante"
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns: list[str] = []

myst_heading_anchors = 6
myst_url_schemes = {"http": None, "https": None, "mailto": None, "listing": None}

html_theme = "furo"
html_title = "Restante"
html_show_copyright = False
html_show_sphinx = False
html_show_sourcelink = False
html_use_index = False
html_copy_source = False
html_last_updated_fmt = None
html_baseurl = ""
highlight_language = "none"
pygments_style = "default"
suppress_warnings = ["misc.highlighting_failure"]


def setup(app: Sphinx) -> None:
    """Connect the listings of files."""
    listed: set[str] = set()

    def link_listings(app: Sphinx, doctree: nodes.document, docname: str) -> None:
        for node in doctree.findall(nodes.reference):
            address = node.get("refuri", "")
            if not address.startswith(SCHEME):
                continue
            path, mark, fragment = address.removeprefix(SCHEME).partition("#")
            listed.add(path)
            there = app.builder.get_relative_uri(docname, f"listing/{path}")
            node["refuri"] = there + mark + fragment

    def write_listings(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
        for path in sorted(listed):
            body = f"<h1>{html.escape(path)}</h1>\n{_listing(app, path)}"
            yield f"listing/{path}", {"title": path, "body": body}, "page.html"

    app.connect("doctree-resolved", link_listings)
    app.connect("html-collect-pages", write_listings)


def _listing(app: Sphinx, path: str) -> str:
    """Return the text of a file as HTML, with an anchor at each function and class."""
    place = TOP / path
    if place.is_dir():
        names = [f"{one.name}/" * one.is_dir() or one.name for one in sorted(place.iterdir())]
        return "<ul>" + "".join(f"<li>{html.escape(name)}</li>" for name in names) + "</ul>"
    text = place.read_text(encoding="utf-8")
    lexer = LEXERS.get(place.suffix, "none")
    lines = app.builder.highlighter.highlight_block(text, lexer).split("\n")
    before, opening, first = lines[0].partition("<pre>")
    lines[0] = re.sub(r"^<span></span>", "", first)
    if place.suffix == ".py":
        for name, line in lines_of_definitions(place).items():
            lines[line - 1] = f'<span id="{html.escape(name)}"></span>{lines[line - 1]}'
    return before + opening + "\n".join(lines)
