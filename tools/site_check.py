"""Check the built site: its links lead somewhere, and no page loads anything from outside.

python -m tools.site_check DIRECTORY    prints every finding

Exit codes: 0 if all is well, 1 if there are findings.
"""

import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

# The attributes whose address a browser loads by itself.
LOADING = {
    ("script", "src"), ("img", "src"), ("link", "href"), ("iframe", "src"), ("source", "src"),
    ("video", "src"), ("audio", "src"), ("object", "data"), ("embed", "src"), ("form", "action"),
}  # fmt: skip
# Relations of <link> for which nothing is loaded.
UNLOADED = {"canonical", "next", "prev", "index", "search", "author", "alternate"}
STYLE_ADDRESS = re.compile(r"(?:url\(|@import)\s*['\"]?((?:https?:)?//[^'\")\s]+)")
OUTSIDE = re.compile(r"(?:[a-z][a-z0-9+.-]*:|//)")


class _Page(HTMLParser):
    """The anchors of a page, its links, and the addresses that it loads."""

    def __init__(self) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: set[str] = set()
        self.loads: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.anchors.update(values[name] for name in ("id", "name") if values.get(name))
        if tag == "a" and "href" in values:
            self.links.add(values["href"])
        if set(values.get("rel", "").split()) & UNLOADED:
            return
        self.loads.update(values[name] for name in values if (tag, name) in LOADING)


def main(directory: Path) -> int:
    """Print what is wrong, and return the exit code."""
    findings = list(check_site(directory))
    for finding in findings:
        print(finding)
    return 1 if findings else 0


def check_site(directory: Path) -> Iterator[str]:
    """Yield a line for each finding in a built site."""
    pages = {path: _read(path) for path in sorted(directory.rglob("*.html"))}
    for path, page in pages.items():
        name = path.relative_to(directory)
        for address in sorted(page.loads | page.links):
            if OUTSIDE.match(address):
                if address in page.loads and not address.startswith("data:"):
                    yield f"{name}: {address}: the page loads it from outside"
            elif complaint := _complaint(path, address, pages):
                yield f"{name}: {address}: {complaint}"
    for path in sorted(directory.rglob("*.css")):
        for address in STYLE_ADDRESS.findall(path.read_text(encoding="utf-8")):
            yield f"{path.relative_to(directory)}: {address}: the style loads it from outside"


def _read(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def _complaint(path: Path, address: str, pages: dict[Path, _Page]) -> str:
    name, _, fragment = address.partition("#")
    place = (path.parent / unquote(name.partition("?")[0])).resolve() if name else path
    if place.is_dir():
        place /= "index.html"
    if not place.exists():
        return "there is no such file"
    if fragment and place in pages and unquote(fragment) not in pages[place].anchors:
        return "there is no such place on that page"
    return ""


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve()))
