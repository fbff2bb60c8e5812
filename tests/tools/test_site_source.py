"""The source of the site: each page at its place, with the links that lead there."""

from pathlib import Path

import pytest

from tools.links import LINK, TOP
from tools.site_source import moved_links, navigation, site_pages, write_source

PAGES = {
    "docs/index.md": "index.md",
    "docs/how-to/ask.md": "how-to/ask.md",
    "docs/tutorial.md": "tutorial.md",
    "CHANGELOG.md": "project/changelog.md",
    "bench/README.md": "project/bench.md",
}


@pytest.mark.parametrize(
    ("path", "link", "moved"),
    [
        ("docs/how-to/ask.md", "../tutorial.md#1-start", "../tutorial.md#1-start"),
        ("docs/how-to/ask.md", "#here", "#here"),
        ("docs/how-to/ask.md", "https://example.net/a#b", "https://example.net/a#b"),
        ("docs/how-to/ask.md", "../../README.md#run-it", "../index.md#run-it"),
        ("docs/how-to/ask.md", "../../CHANGELOG.md", "../project/changelog.md"),
        ("docs/how-to/ask.md", "../pictures/a.png", "../pictures/a.png"),
        ("CHANGELOG.md", "docs/how-to/ask.md", "../how-to/ask.md"),
        ("CHANGELOG.md", "docs/pictures/a.svg", "../pictures/a.svg"),
        ("bench/README.md", "../CHANGELOG.md", "changelog.md"),
        ("docs/index.md", "../src/a.py#Name.of", "listing:src/a.py#Name.of"),
        ("docs/index.md", "how-to", "listing:docs/how-to"),
    ],
)
def test_a_link_leads_to_the_place_of_its_page(path: str, link: str, moved: str) -> None:
    assert (
        moved_links(f"See [`this`\npage]({link}).", path, PAGES) == f"See [`this`\npage]({moved})."
    )
    assert moved_links(f"[one]: {link}\n", path, PAGES) == f"[one]: {moved}\n"


def test_code_stays_and_comments_go() -> None:
    text = "`[a](b.md)`\n\n```sh\n[a](b.md)\n```\n"
    assert moved_links(text, "CHANGELOG.md", PAGES) == text
    assert moved_links(f"<!-- exit: 2 -->\n{text}", "CHANGELOG.md", PAGES) == f"\n{text}"


def test_the_headings_of_the_contents_are_the_parts_of_the_navigation() -> None:
    contents = "# All\n\n## Start\n\n- [One](tutorial.md)\n- [Two](../CHANGELOG.md)\n\n## Empty\n"
    first, part = navigation(contents, PAGES)
    assert "\ncontents\n" in first
    assert part.split() == [
        "```{toctree}",
        ":hidden:",
        ":caption:",
        "Start",
        "tutorial",
        "project/changelog",
        "```",
    ]


def test_every_page_is_in_the_contents() -> None:
    """A page that is missing there would fail `make site`."""
    text = (TOP / "docs/contents.md").read_text(encoding="utf-8")
    listed = {match[1].removeprefix("../") for match in LINK.finditer(text)}
    pages = {path.removeprefix("docs/") for path in site_pages(TOP)}
    apart = {page for page in pages if page.startswith("decisions/0")} | {"index.md", "contents.md"}
    assert pages - apart - listed == set(), "add the page to docs/contents.md"


def test_the_source_has_all_pages_and_pictures(tmp_path: Path) -> None:
    write_source(TOP, tmp_path)
    assert (tmp_path / "conf.py").is_file()
    assert (tmp_path / "pictures/portal-domain.png").is_file()
    assert "toctree" in (tmp_path / "index.md").read_text()
    assert all((tmp_path / place).is_file() for place in site_pages(TOP).values())
