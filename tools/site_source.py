"""Make the source of the site from the documents of the repository.

The pages of docs/ keep their places, and the pages at the top of the repository come into project/.
`docs/contents.md` gives the order of pages: each of its headings becomes a part of the navigation.
A link to a file that is no page leads to a listing of that file, which `docs/conf.py` makes.
"""

import posixpath
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from tools.links import CODE_SPAN, COMMENT, FENCE, LINK, targets

PROJECT = ["ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "bench/README.md"]
FRONT = "docs/index.md"
CONTENTS = "docs/contents.md"
DECISIONS = "docs/decisions/README.md"
MOVED = {"README.md": "index.md"}  # the front page takes its place
SCHEME = "listing:"  # the address of a listing, for docs/conf.py


def write_source(top: Path, directory: Path) -> None:
    """Write everything that Sphinx reads into an empty directory."""
    pages = site_pages(top)
    for path, place in pages.items():
        text = moved_links((top / path).read_text(encoding="utf-8"), path, pages)
        if path == FRONT:
            contents = (top / CONTENTS).read_text(encoding="utf-8")
            text += "".join(navigation(contents, pages))
        if path == DECISIONS:
            text += _tree("", ["[0-9]*"], has_pattern=True)
        target = directory / place
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    for picture in sorted((top / "docs").rglob("*")):
        if picture.suffix in {".png", ".svg"}:
            target = directory / picture.relative_to(top / "docs")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(picture, target)
    shutil.copyfile(top / "docs/conf.py", directory / "conf.py")


def site_pages(top: Path) -> dict[str, str]:
    """Return the place in the site of each page, both from their tops."""
    inside = [path.relative_to(top).as_posix() for path in sorted((top / "docs").rglob("*.md"))]
    pages = {path: path.removeprefix("docs/") for path in inside}
    for path in PROJECT:
        pages[path] = "project/" + path.replace("/README", "").lower()
    return pages


def moved_links(text: str, path: str, pages: dict[str, str]) -> str:
    """Return a page with its links as they are at its place in the site.

    Comments are left out: they are for the tests of the blocks.
    """
    here = posixpath.dirname(pages[path])
    text = COMMENT.sub("", text)

    def moved(target: str) -> str:
        if re.match(r"[a-z][a-z0-9+.-]*:|#", target):
            return target
        name, mark, fragment = target.partition("#")
        aim = posixpath.normpath(posixpath.join(posixpath.dirname(path), name))
        if place := pages.get(aim) or MOVED.get(aim):
            return posixpath.relpath(place, here or ".") + mark + fragment
        if posixpath.splitext(aim)[1] in {".png", ".svg"}:
            return posixpath.relpath(aim.removeprefix("docs/"), here or ".")
        return SCHEME + aim + mark + fragment

    pieces = []
    start = 0
    for found in targets(_without_code(text)):
        pieces += [text[start : found.start(1)], moved(found[1])]
        start = found.end(1)
    return "".join([*pieces, text[start:]])


def _without_code(text: str) -> str:
    """Return the text with blanks in place of its code, so that every position stays."""
    for pattern in (FENCE, CODE_SPAN):
        text = pattern.sub(lambda found: " " * len(found[0]), text)
    return text


def navigation(contents: str, pages: dict[str, str]) -> Iterator[str]:
    """Yield a part of the navigation for each heading of the page of contents."""
    yield _tree("", ["contents"])
    for part in re.split(r"^## ", contents, flags=re.MULTILINE)[1:]:
        caption, _, rest = part.partition("\n")
        places = []
        for found in LINK.finditer(rest):
            path = posixpath.normpath(posixpath.join("docs", found[1]))
            if path in pages:
                places.append(pages[path].removesuffix(".md"))
        if places:
            yield _tree(caption.strip(), places)


def _tree(caption: str, places: list[str], *, has_pattern: bool = False) -> str:
    options = [":hidden:", f":caption: {caption}" if caption else "", ":glob:" * has_pattern]
    head = "\n".join(["```{toctree}", *filter(None, options)])
    return f"\n{head}\n\n" + "\n".join(places) + "\n```\n"
