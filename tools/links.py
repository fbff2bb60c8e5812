"""Check every link in the documents: the file is there, and so is the heading.

    python -m tools.links        every link that is wrong, one on a line

Nothing is fetched. The address of another site is checked for its form only.

Exit codes: 0 if all is well, 1 if there are findings.
"""

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

TOP = Path(__file__).parents[1]
PATTERNS = ["*.md", "docs/**/*.md", "bench/*.md", "client/*.md", "contrib/**/*.md"]

FENCE = re.compile(r"^ *(?:```|~~~).*?^ *(?:```|~~~) *$", re.DOTALL | re.MULTILINE)
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
CODE_SPAN = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
# The text of a link can hold brackets of one level, such as those of a picture.
LINK = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(\s*([^()\s]*(?:\([^()\s]*\)[^()\s]*)*)\s*\)")
DEFINITION = re.compile(r"^ {0,3}\[[^\]]+\]: *(\S+) *$", re.MULTILINE)
AUTOLINK = re.compile(r"<(https?:[^<>\s]*)>")
HEADING = re.compile(r"^ {0,3}#{1,6} +(.+?)(?: +#+)? *$", re.MULTILINE)
HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")


def main(top: Path = TOP) -> int:
    """Print what is wrong, and return the exit code."""
    findings = [finding for page in every_page(top) for finding in check_page(page, top)]
    for finding in findings:
        print(finding)
    return 1 if findings else 0


def every_page(top: Path) -> list[Path]:
    """Return the documents of a repository."""
    return sorted({path for pattern in PATTERNS for path in top.glob(pattern)})


def check_page(page: Path, top: Path) -> Iterator[str]:
    """Yield a line for each link of a page that is wrong."""
    text = page.read_text(encoding="utf-8")
    for line, target in links(text):
        complaint = _complaint(page, target, top)
        if complaint:
            yield f"{page.relative_to(top)}:{line}: {target}: {complaint}"


def links(text: str) -> Iterator[tuple[int, str]]:
    """Yield the targets of a page's links, with their lines, counted from 1."""
    for pattern in (COMMENT, FENCE, CODE_SPAN):
        text = pattern.sub(_blank, text)
    for match in sorted([*targets(text), *AUTOLINK.finditer(text)], key=lambda one: one.start()):
        yield text.count("\n", 0, match.start(1)) + 1, match[1]


def targets(text: str) -> list[re.Match[str]]:
    """Return the places of the targets, as group 1, of a text without code."""
    found = [*LINK.finditer(text), *DEFINITION.finditer(text)]
    return sorted(found, key=lambda one: one.start())


def _blank(match: re.Match[str]) -> str:
    """Return as many lines as the code has, without a link in them."""
    return "\n" * match[0].count("\n")


def _complaint(page: Path, target: str, top: Path) -> str:
    if not target:
        return "the link is empty"
    if re.match(r"[a-z][a-z0-9+.-]*:", target):
        return complaint_about_address(target)
    name, _, fragment = target.partition("#")
    path = (page.parent / unquote(name)).resolve() if name else page
    if not path.is_relative_to(top.resolve()):
        return "it leads out of the repository"
    if not path.exists():
        return "there is no such file"
    return _complaint_about_fragment(path, fragment) if fragment else ""


def complaint_about_address(address: str) -> str:
    """Tell what is wrong with the form of an address of another site, or return ''."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        return str(error)
    if parts.scheme == "mailto":
        return "" if "@" in parts.path else "no mailbox"
    if parts.scheme not in {"https", "http"}:
        return f"the scheme {parts.scheme} is not one for readers"
    if not HOST.fullmatch(host):
        return "no full host name"
    if parts.username is not None or port is not None:
        return "a user or a port in a link for readers"
    return ""


def _complaint_about_fragment(path: Path, fragment: str) -> str:
    if path.suffix == ".md":
        return "" if fragment in anchors(path) else "there is no such heading"
    if path.suffix == ".py":
        return "" if fragment in definitions(path) else "there is no such function or class"
    return "a place in a file of this kind cannot be named"


@cache
def anchors(path: Path) -> frozenset[str]:
    """Return the anchors of a page's headings, by the rules of GitHub."""
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    found: dict[str, int] = {}
    names = set()
    for heading in HEADING.findall(text):
        name = slug(heading)
        count = found.get(name, 0)
        found[name] = count + 1
        names.add(f"{name}-{count}" if count else name)
    return frozenset(names)


def slug(heading: str) -> str:
    """Return the anchor of a heading: its text in lower case, without punctuation."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    return re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")


@cache
def definitions(path: Path) -> frozenset[str]:
    """Return the functions and classes of a module; a method as `Class.method`."""
    return frozenset(lines_of_definitions(path))


def lines_of_definitions(path: Path) -> dict[str, int]:
    """Return the line of each function and class of a module, counted from 1."""
    found = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found[node.name] = node.lineno
        if isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
                    found.setdefault(f"{node.name}.{inner.name}", inner.lineno)
    return found


if __name__ == "__main__":
    sys.exit(main())
