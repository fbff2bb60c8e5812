"""A command that opens the store itself: its principal, and its errors."""

import json
from pathlib import Path

import pytest

from restante.cli import offline_admin
from restante.tenancy.principal import COMMAND_LINE, NOBODY, Principal, Role, account_login
from tests.actors import actor_named
from tests.cli.conftest import Command

POSTMASTER = Principal(Role.OPERATOR, actor_named("operator postmaster"), COMMAND_LINE)


def act_as(principal: Principal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offline_admin, "operator", lambda *_: principal)


@pytest.mark.usefixtures("installation")
def test_the_user_of_a_command_is_on_record_also_when_mail_is_streamed(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    act_as(POSTMASTER, monkeypatch)
    source = tmp_path / "one.eml"
    source.write_bytes(b"Subject: x\r\n\r\nx\r\n")
    to = ("--to", "x@alpha.example", "--reverse-path", "a@sender.example")
    assert command("queue", "import", source, *to).code == 0
    assert command("queue", "export", tmp_path / "out").code == 0
    entries = json.loads(command("audit", "--json").out)
    assert {
        entry["action"]: (entry["actor"], entry["acted_from"])
        for entry in entries
        if entry["action"].startswith("mail-")
    } == {
        "mail-imported": ("operator postmaster", "command line"),
        "mail-exported": ("operator postmaster", "command line"),
    }


@pytest.mark.usefixtures("installation")
@pytest.mark.parametrize(
    "principal",
    [NOBODY, account_login("alpha-mail", "alpha", "192.0.2.1")],
    ids=["nobody", "login"],
)
def test_a_forbidden_action_ends_with_77_and_says_why(
    principal: Principal, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    act_as(principal, monkeypatch)
    refused = command("domain", "set", "alpha.example", "--destination", "192.0.2.7")
    assert (refused.code, refused.out) == (77, "")
    assert refused.err.count("\n") == 1
    assert f"{principal.name} is not allowed to; ask an operator of this server" in refused.err


def test_a_store_directory_that_is_gone_is_not_made_anew(
    installation: Path, command: Command
) -> None:
    (installation / "data").rename(installation / "elsewhere")
    outcome = command("account", "list")
    assert outcome.code == 66
    assert not (installation / "data").exists()
