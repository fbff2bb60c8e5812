"""Every link in the documents leads somewhere, and the check finds one that does not."""

from pathlib import Path

import pytest

from tools import links


def findings(top: Path, text: str) -> list[str]:
    page = top / "docs" / "page.md"
    page.parent.mkdir(exist_ok=True)
    page.write_text(text)
    return list(links.check_page(page, top))


def test_the_documents_have_no_broken_link() -> None:
    pages = links.every_page(links.TOP)
    assert len(pages) > 80
    assert [finding for page in pages for finding in links.check_page(page, links.TOP)] == []


def test_a_missing_file_is_found_with_its_line(tmp_path: Path) -> None:
    assert findings(tmp_path, "One.\n\nSee [two\nlines](gone.md).\n") == [
        "docs/page.md:4: gone.md: there is no such file"
    ]


@pytest.mark.parametrize(
    ("link", "complaint"),
    [
        ("(#the-part)", ""),
        ("(#the-part-1)", ""),
        ("(#a-code-span)", ""),
        ("(page.md#the-part)", ""),
        ("(page.md#other)", "there is no such heading"),
        ("(#in-a-block)", "there is no such heading"),
        ("(../../out.md)", "it leads out of the repository"),
        ("()", "the link is empty"),
        ("(../code.py#Door.open)", ""),
        ("(../code.py#shut)", ""),
        ("(../code.py#Door.shut)", "there is no such function or class"),
        ("(../data.json#x)", "a place in a file of this kind cannot be named"),
    ],
)
def test_a_place_on_a_page_or_in_a_module(tmp_path: Path, link: str, complaint: str) -> None:
    (tmp_path / "data.json").write_text("{}")
    (tmp_path / "code.py").write_text(
        "class Door:\n    async def open(self): ...\n\n\ndef shut(): ...\n"
    )
    links.definitions.cache_clear()
    links.anchors.cache_clear()
    page = "# The part\n\n## The *part*\n\n### A `code` span\n\n```text\n# In a block\n```\n"
    found = findings(tmp_path, f"{page}\n[x]{link}\n")
    assert [finding.rpartition(": ")[2] for finding in found] == ([complaint] if complaint else [])


@pytest.mark.parametrize(
    ("address", "complaint"),
    [
        ("https://www.postfix.org/ETRN_README.html#only", ""),
        ("http://wiki.exim.example/", ""),
        ("mailto:postmaster@example.net", ""),
        ("mailto:nobody", "no mailbox"),
        ("https://localhost/", "no full host name"),
        ("https:///path", "no full host name"),
        ("https://user@example.net/", "a user or a port in a link for readers"),
        ("https://example.net:8443/", "a user or a port in a link for readers"),
        ("https://example.net:port/", "Port could not be cast to integer value as 'port'"),
        ("javascript:alert", "the scheme javascript is not one for readers"),
    ],
)
def test_an_address_of_another_site_is_checked_for_its_form(address: str, complaint: str) -> None:
    assert links.complaint_about_address(address) == complaint


def test_code_and_comments_have_no_links(tmp_path: Path) -> None:
    text = "`[a](b.md)`\n\n```text\n[a](b.md)\n```\n\n<!-- [a](b.md) -->\n"
    assert findings(tmp_path, text) == []


def test_definitions_of_links_and_pictures_count(tmp_path: Path) -> None:
    text = "![a picture](gone.png) and [this][one], [`code`](gone.md).\n\n[one]: away.md\n"
    assert [line.split(": ")[1] for line in findings(tmp_path, text)] == [
        "gone.png",
        "gone.md",
        "away.md",
    ]


def test_the_tour_leads_to_functions_of_every_part() -> None:
    """Each of them is there, or the first test of this file fails."""
    text = (links.TOP / "docs/tour.md").read_text(encoding="utf-8")
    linked = [target for _, target in links.links(text) if ".py#" in target]
    parts = {target.split("/")[3] for target in linked}
    assert len(linked) > 25
    assert {"reception", "smtp", "store", "release", "delivery", "mail"} <= parts
