"""Domains from the command line: only what is given is changed."""

import json
from pathlib import Path

from tests.admin.admin_world import AdminWorld
from tests.cli.conftest import Command


def test_a_domain_is_changed_by_what_is_given(installation: Path, command: Command) -> None:
    changed = command(
        "domain", "set", "alpha.example", "--add-allow", "mail.alpha.example", "--connections", "7"
    )
    assert changed.code == 0
    domain = json.loads(command("domain", "show", "alpha.example", "--json").out)
    assert domain["allow"] == ["192.0.2.1", "mail.alpha.example"]
    assert (domain["connections"], domain["destination"]) == (7, "192.0.2.1:25")


def test_a_domain_is_added_with_its_policy(installation: Path, command: Command) -> None:
    words = ("--account", "alpha", "--destination", "192.0.2.1", "--hold", "relay", "--ignore-tags")
    assert command("domain", "add", "beta.example", *words).code == 0
    policy = json.loads(command("domain", "show", "beta.example", "--json").out)["policy"]
    assert (policy["hold"], policy["ignore_tags"]) == ("relay", True)


def test_warnings_go_to_standard_error(installation: Path, command: Command) -> None:
    changed = command("domain", "set", "alpha.example", "--allow", "")
    assert changed.code == 0
    assert changed.err.startswith("restante: warning: domain alpha.example: no host is authorized")


def test_a_destination_that_is_ourselves_is_refused(installation: Path, command: Command) -> None:
    refused = command("domain", "set", "alpha.example", "--destination", "localhost:2525")
    assert refused.code == 65
    assert "this server's own listener" in refused.err


def test_a_change_reaches_the_server(admin: AdminWorld, command: Command) -> None:
    assert command("account", "add", "beta").code == 0
    assert command("domain", "set", "alpha.example", "--connections", "2").code == 0
    assert "beta" in admin.context.directory.now.accounts
    assert admin.context.directory.now.domains["alpha.example"].destination.connections == 2


def test_the_client_of_mail_is_told_by_the_record(admin: AdminWorld, command: Command) -> None:
    def told() -> str:
        return str(
            json.loads(command("domain", "show", "alpha.example", "--json").out)["client_address"]
        )

    assert told() == "none"
    for manner in ("proxy", "xclient"):
        assert command("domain", "set", "alpha.example", "--client-address", manner).code == 0
        assert told() == manner
        assert f"client address       {manner}" in command("domain", "show", "alpha.example").out
    assert command("domain", "set", "alpha.example", "--client-address", "").code == 64
    assert command("domain", "set", "alpha.example", "--connections", "3").code == 0
    assert told() == "xclient"


def test_a_change_of_nothing_leaves_no_entry_and_ends_no_drain(
    admin: AdminWorld, command: Command
) -> None:
    entries = len(json.loads(command("audit", "--json").out))
    stopped = list(admin.server.stopped) if admin.server else []
    for words in (
        ("domain", "set", "alpha.example", "--connections", "20"),
        ("account", "set", "alpha", "--note", ""),
        ("recipient", "replace", "alpha.example", "--file", "/dev/null"),
    ):
        ended = command(*words)
        assert (ended.code, "changed\n" in ended.out) == (0, False), words
    assert len(json.loads(command("audit", "--json").out)) == entries
    assert admin.server
    assert admin.server.stopped == stopped


def test_a_largest_message_above_the_servers_own_limit_is_refused(
    admin: AdminWorld, command: Command
) -> None:
    refused = command("domain", "set", "alpha.example", "--message-size", "60M")
    assert (refused.code, "above the server's own limit of 50000000 octets" in refused.err) == (
        65,
        True,
    )
    assert command("domain", "set", "alpha.example", "--message-size", "40M").code == 0


def test_a_domain_may_have_no_destination(installation: Path, command: Command) -> None:
    """Its mail leaves by turnarounds only."""
    added = command("domain", "add", "n.example", "--account", "alpha", "--destination", "none")
    assert added.code == 0
    assert "forged address" not in added.err
    assert "by ATRN only" in command("domain", "list").out
    assert json.loads(command("domain", "show", "n.example", "--json").out)["destination"] == "none"
    pinned = command("domain", "set", "n.example", "--pin-now")
    assert "has no destination that could show a key" in pinned.err
    moved = command("domain", "set", "n.example", "--destination", "192.0.2.1")
    assert "destination.host" in moved.out
    back = command("domain", "set", "n.example", "--destination", "none")
    assert back.code == 0
    port = command("domain", "set", "n.example", "--destination", "none:25")
    assert "none has no port" in port.err
    held = command("domain", "set", "n.example", "--hold", "relay")
    assert "hold relay never acts, as the domain has no destination" in held.err
