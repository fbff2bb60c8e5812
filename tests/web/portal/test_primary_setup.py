"""The lines for the primary: those that the how-to page has, where they are run."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from restante.web.portal.primary_setup import (
    SetupLines,
    SetupNames,
    asking,
    fetching,
    mail_exchangers,
)

NAMES = SetupNames("mx2.example.net", 465, "acme.example", "acme-mail", "mail.acme.example")
DOCS = Path(__file__).parents[3] / "docs/how-to"
PAGE_FOR_CGNAT = DOCS / "run-a-primary-behind-cgnat.md"
PAGE = (DOCS / "ask-for-mail.md").read_text()


@pytest.mark.parametrize("one", asking(NAMES), ids=lambda one: one.title)
def test_the_lines_are_those_that_the_documentation_runs(one: SetupLines) -> None:
    assert one.text in PAGE


@pytest.mark.parametrize("one", asking(replace(NAMES, port=8465)), ids=lambda one: one.title)
def test_another_port_is_named(one: SetupLines) -> None:
    assert "8465" in one.text


def test_a_primary_that_cannot_be_reached_fetches_its_mail() -> None:
    """As its own page of the documentation does."""
    page = PAGE_FOR_CGNAT.read_text()
    assert fetching(NAMES).text in page
    assert "mx2.example.net:3660 acme" in fetching(replace(NAMES, odmr_port=3660)).text


def test_the_backup_has_the_larger_preference() -> None:
    assert mail_exchangers(NAMES).text.splitlines() == [
        "acme.example.  IN MX 10 mail.acme.example.",
        "acme.example.  IN MX 20 mx2.example.net.",
    ]


def test_without_a_destination_the_backup_is_the_only_one() -> None:
    dns = mail_exchangers(replace(NAMES, primary=""))
    assert dns.text == "acme.example.  IN MX 10 mx2.example.net."


@pytest.mark.parametrize(
    ("address", "record"), [("192.0.2.25", "A 192.0.2.25"), ("2001:db8::25", "AAAA 2001:db8::25")]
)
def test_a_name_is_never_made_up_for_an_address(address: str, record: str) -> None:
    dns = mail_exchangers(replace(NAMES, primary=address))
    assert dns.text.splitlines() == [
        "acme.example.  IN MX 10 HOST-NAME.",
        "acme.example.  IN MX 20 mx2.example.net.",
        f"HOST-NAME.  IN {record}",
    ]
    assert f"only the address {address} is known here" in dns.note
    assert "Replace HOST-NAME with the primary's name" in dns.note


def test_no_line_replaces_a_file_that_may_have_other_passwords() -> None:
    lines = "\n".join(one.text for one in asking(NAMES))
    assert "(umask 077; echo 'machine " in lines
    assert "' >> ~/.netrc)" in lines
    assert not re.search(r"[^>]> *~/", lines)
