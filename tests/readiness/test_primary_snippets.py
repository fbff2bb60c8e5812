"""Lines for primaries: complete, with our addresses, and each with its danger."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from restante.readiness.primary_snippets import (
    NO_ADDRESS,
    PrimaryProgram,
    SnippetNames,
    primary_snippet,
    primary_snippets,
)

DOCS = Path(__file__).parents[2] / "docs"
BOTH = SnippetNames("example.org", "mail.example.org", ("203.0.113.2", "2001:db8::2"))
ONE = replace(BOTH, addresses=("203.0.113.2",))
NONE = replace(BOTH, addresses=())
TELLING = (PrimaryProgram.POSTFIX_PROXY, PrimaryProgram.POSTFIX_XCLIENT)


def text_of(program: PrimaryProgram, names: SnippetNames = BOTH) -> str:
    return "\n".join(part.text for part in primary_snippet(program, names).parts)


def test_each_program_has_lines_and_a_danger() -> None:
    found = primary_snippets(BOTH)
    assert [one.program for one in found] == list(PrimaryProgram)
    assert all(one.parts and one.danger.endswith(".") for one in found)


@pytest.mark.parametrize("program", PrimaryProgram)
def test_the_lines_have_every_address_that_fits(program: PrimaryProgram) -> None:
    text = text_of(program) + primary_snippet(program, BOTH).danger
    assert "203.0.113.2" in text
    assert ("2001:db8::2" in text) is (program is not PrimaryProgram.EXCHANGE_ONLINE)
    assert NO_ADDRESS in text_of(program, NONE) + primary_snippet(program, NONE).danger


@pytest.mark.parametrize("program", PrimaryProgram)
def test_no_line_lets_this_server_relay(program: PrimaryProgram) -> None:
    text = text_of(program)
    assert not re.search(r"^(mynetworks|relay_from_hosts|TrustedAuthservIDs)\b", text, re.MULTILINE)


def test_rspamd_gets_both_files_or_neither() -> None:
    for program in (
        PrimaryProgram.RSPAMD,
        PrimaryProgram.MAILCOW,
        PrimaryProgram.DOCKER_MAILSERVER,
    ):
        places = [part.place for part in primary_snippet(program, BOTH).parts]
        assert sum(place.endswith(("external_relay.conf", "options.inc")) for place in places) == 2
        assert "both files or neither" in primary_snippet(program, BOTH).danger


def test_exim_separates_addresses_by_semicolons() -> None:
    assert "hosts = <; 203.0.113.2 ; 2001:db8::2" in text_of(PrimaryProgram.EXIM)


@pytest.mark.parametrize("program", [PrimaryProgram.POSTFIX, PrimaryProgram.RSPAMD])
def test_the_documentation_has_the_same_lines(program: PrimaryProgram) -> None:
    page = (DOCS / "how-to/when-mail-does-not-move.md").read_text()
    for part in primary_snippet(program, ONE).parts:
        assert part.text in page


@pytest.mark.parametrize("program", TELLING)
def test_the_documentation_has_the_same_lines_that_tell_the_client(
    program: PrimaryProgram,
) -> None:
    page = (DOCS / "how-to/let-the-primary-judge-the-client.md").read_text()
    names = replace(ONE, domain="acme.example", destination="mail.acme.example")
    for part in primary_snippet(program, names).parts:
        assert part.text in page


def test_without_a_destination_its_place_is_marked() -> None:
    names = replace(ONE, destination="")
    assert "--destination HOST:2526" in text_of(PrimaryProgram.POSTFIX_PROXY, names)
