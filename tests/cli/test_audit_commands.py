"""The trail from the command line: two lines an entry, and never wider than the screen."""

import asyncio
import json
import os
import pwd
import re
from typing import Any

import pytest

from restante.cli.audit_commands import two_lines
from restante.cli.text_width import width_of
from tests.admin.admin_world import AdminWorld
from tests.cli.conftest import Command

LONG = ".".join(["l" * 63, "m" * 63, "n" * 63, "example"])  # 199 octets


def test_the_trail_says_who_changed_what_and_why(admin: AdminWorld, command: Command) -> None:
    changed = command(
        "domain", "set", "alpha.example", "--connections", "2", "--reason", "it has little room"
    )
    assert changed.out == "domain alpha.example changed\n  destination.connections: 20 → 2\n"
    [entry] = json.loads(
        command("audit", "--domain", "Alpha.Example", "--action", "domain-changed", "--json").out
    )
    assert entry["actor"] == f"operator {pwd.getpwuid(os.getuid()).pw_name}"
    assert (entry["acted_from"], entry["reason"]) == ("control socket", "it has little room")
    assert entry["changes"] == [{"field": "destination.connections", "before": "20", "after": "2"}]
    *shown, _, _ = command("audit", "--limit", "1").out.splitlines()
    assert shown[0].endswith("domain-changed  alpha.example")
    by = f"    by {entry['actor']}, control socket; it has little room; "
    assert shown[1].startswith(by)
    assert shown[1][len(by) :].rstrip("…") in "destination.connections: 20 → 2"
    *whole, _, _ = command("audit", "--limit", "1", "--verbose").out.splitlines()
    assert whole[-2:] == ["    it has little room", "    destination.connections: 20 → 2"]


def test_an_entry_about_a_domain_takes_two_lines(admin: AdminWorld, command: Command) -> None:
    asyncio.run(admin.host(LONG, "long"))
    *shown, _, _ = command("audit", "--action", "domain-added", "--limit", "1").out.splitlines()
    assert [len(line) <= 80 for line in shown] == [True, True]
    assert re.fullmatch(r".*  domain-added  l+…[ln.]+\.example", shown[0])
    assert re.fullmatch(r"    by operator.*control socket; .*…", shown[1])
    whole = command("audit", "--action", "domain-added", "--limit", "1", "--verbose").out
    assert LONG in "".join(whole.split())


def test_an_entry_about_many_messages_names_three(admin: AdminWorld, command: Command) -> None:
    number = admin.context.directory.now.domains["alpha.example"].id
    for message in range(40, 46):
        asyncio.run(admin.hold(message, number, "x@alpha.example"))
    command("queue", "delete", "--domain", "alpha.example", "--reason", "spam", "--yes")
    [line, reason, _, count] = command("audit", "--limit", "1").out.splitlines()
    assert line.endswith(" and 5 more (alpha.example)")
    assert reason.startswith("    by operator ")
    assert "; spam; status: held, refused → none" in reason
    assert count == "1 entry"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--since", "yesterday"), 64),
        (("--action", "domain-eaten"), 64),
        (("--domain", "a b"), 65),
        (("--since", "2d", "--until", "2020-01-01"), 65),
    ],
)
def test_a_filter_that_means_nothing_is_refused(
    admin: AdminWorld, command: Command, words: tuple[str, ...], code: int
) -> None:
    assert command("audit", *words).code == code


ENTRY: dict[str, Any] = {
    "at": "2025-10-09T08:53:20.000000Z",
    "action": "domain-changed",
    "actor": "operator root",
    "acted_from": "control socket",
    "subject": "alpha.example",
    "account": "acme",
    "domain": "alpha.example",
    "reason": "",
    "answer": "",
    "changes": [],
}


def test_an_entry_with_wide_characters_fits_two_lines() -> None:
    lines = list(two_lines({**ENTRY, "reason": "件名" * 60}, 80))
    assert len(lines) == 2
    assert max(map(width_of, lines)) <= 80


def test_an_empty_trail_is_said(admin: AdminWorld, command: Command) -> None:
    assert admin.server
    assert command("audit", "--actor", "nobody").out == "0 entries\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("audit", "--action", "login-aded"), "did you mean login-added; see restante audit"),
        (("audit", "--action", "zzz"), "'zzz' is not one of 'release-requested', "),
        (("queue", "list", "--status", "refusd"), "'refusd' is not known; did you mean refused;"),
        (("queue", "list", "--domain", "alpha.exmple"), "did you mean alpha.example? `restante"),
        (("trace", "--domain", "alpha.exmple"), "did you mean alpha.example? `restante domain"),
        (("account", "show", "alpa"), "did you mean alpha? `restante account list` shows all"),
    ],
)
def test_a_misspelled_name_is_answered_with_the_one_that_was_meant(
    admin: AdminWorld, command: Command, arguments: tuple[str, ...], said: str
) -> None:
    assert "alpha" in admin.context.directory.now.accounts
    assert said in command(*arguments).err
