"""`restante recipient`: from arguments, from a file, from standard input."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command

DOMAIN = "alpha.example"


def listed(command: Command) -> list[str]:
    return [one["name"] for one in json.loads(command("recipient", "list", DOMAIN, "--json").out)]


def test_addresses_come_from_arguments_files_and_standard_input(
    installation: Path, command: Command, tmp_path: Path
) -> None:
    added = command("recipient", "add", DOMAIN, "anna", f"bert@{DOMAIN}")
    assert (added.code, added.out) == (0, f"domain {DOMAIN}: 2 added, 0 dropped, 2 listed\n")
    file = tmp_path / "addresses"
    file.write_text("# from the directory\ncarl  # the third\n\nsales-*\n")
    assert command("recipient", "add", DOMAIN, "--file", file).code == 0
    assert command("recipient", "remove", DOMAIN, "--file", "-", stdin="anna\n").code == 0
    assert listed(command) == ["bert", "carl", "sales-*"]
    assert "sales-*  list" in command("recipient", "list", DOMAIN).out


def test_a_replacement_that_drops_many_is_asked_about_first(
    installation: Path, command: Command
) -> None:
    command("recipient", "add", DOMAIN, *(f"user{number}" for number in range(10)))
    refused = command("recipient", "replace", DOMAIN, "user1", "new")
    assert refused.code == 64
    assert refused.err == (
        f"restante: recipient replace: 9 of the recipients of {DOMAIN} would be dropped, 2 would"
        " remain; pass --yes if the new list is complete\n"
    )
    assert len(listed(command)) == 10
    assert command("recipient", "replace", DOMAIN, "user1", "new", "--yes").code == 0
    assert listed(command) == ["new", "user1"]
    assert (
        command("recipient", "replace", DOMAIN, "--file", "-", stdin="new\nuser1\nmore\n").code == 0
    )  # drops nobody


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("add", DOMAIN), 64),
        (("add", DOMAIN, "anna@beta.example"), 65),
        (("add", "beta.example", "anna"), 66),
        (("remove", DOMAIN, "nobody"), 66),
        (("add", DOMAIN, "--file", "/nowhere"), 66),
        (("list", "beta.example"), 66),
    ],
)
def test_every_error_is_one_line_and_an_exit_code(
    installation: Path, command: Command, arguments: tuple[str, ...], code: int
) -> None:
    outcome = command("recipient", *arguments)
    assert outcome.code == code
    (line,) = outcome.err.splitlines()
    assert "; " in line
