"""An import: it reads every export, names its failures, and holds nothing twice."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from restante.cli import queue_import_command
from restante.store.store_errors import StoreError
from tests.admin.admin_world import AdminWorld
from tests.cli.conftest import Command, Outcome
from tests.cli.difficult_mail import DIFFICULT, contents, hold_difficult_mail, listed, unnamed


@pytest.fixture
def held(installation: Path, command: Command, tmp_path: Path) -> list[dict[str, Any]]:
    """Difficult mail in a store without a server; the result of `queue list`."""
    return hold_difficult_mail(command, tmp_path)


@pytest.mark.parametrize("style", ["eml", "maildir", "mbox"])
def test_mail_exported_deleted_and_imported_is_as_it_was(
    held: list[dict[str, Any]], command: Command, tmp_path: Path, style: str
) -> None:
    before = contents(command, tmp_path / "before")
    assert sorted(before.values()) == sorted([*DIFFICULT, b"Subject: a report\r\n\r\n"])
    exported = command("queue", "export", tmp_path / "out", "--format", style)
    assert (exported.code, exported.err) == (0, "")
    assert "6 messages" in exported.out
    command("queue", "delete", "--all", "--reason", "moving", "--yes")
    imported = command("queue", "import", tmp_path / "out", "--json")
    assert (imported.code, imported.err) == (0, "")
    assert json.loads(imported.out)["imported"] == 6
    assert unnamed(listed(command)) == unnamed(held)
    after = contents(command, tmp_path / "after")
    assert [after[one["name"]] for one in listed(command)] == [before[one["name"]] for one in held]


FACTS: dict[str, Any] = {
    "reverse_path": "a@sender.example",
    "recipients": [{"forward_path": "x@alpha.example"}, {"forward_path": "y@alpha.example"}],
    "received_at": "2025-10-01T00:00:00Z",
    "needs_smtputf8": True,
    "dsn": {
        "ret": "HDRS",
        "envid": "QQ+2B314",
        "recipients": {
            "y@alpha.example": {"notify": "SUCCESS,DELAY", "orcpt": "rfc822;Info+2By@alpha.example"}
        },
    },
    "is_suspect": True,
    "is_delay_told": True,
    "message_id": "<1@sender.example>",
    "origin": {
        "address": "192.0.2.25",
        "port": 4711,
        "hello": "sender.example",
        "tls": "TLSv1.3 TLS_AES_256_GCM_SHA384",
        "host_name": "mx.sender.example",
        "ptr": "confirmed",
        "verdicts": {"filter": "score 3"},
    },
}
KEPT = [
    key for key in FACTS if key != "recipients"
]  # all of it that is not spelled otherwise when it comes out


@pytest.mark.parametrize("style", ["eml", "maildir", "mbox"])
def test_the_whole_envelope_goes_out_and_comes_in_again(
    installation: Path, command: Command, tmp_path: Path, style: str
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/one.eml").write_bytes(b"Subject: one\r\n\r\n")
    (tmp_path / "in/one.json").write_text(json.dumps(FACTS))
    assert command("queue", "import", tmp_path / "in").code == 0
    command("queue", "export", tmp_path / "there", "--format", style)
    command("queue", "delete", "--all", "--reason", "moving", "--yes")
    assert command("queue", "import", tmp_path / "there").code == 0
    command("queue", "export", tmp_path / "back")
    [side] = (tmp_path / "back").glob("*.json")
    facts = json.loads(side.read_text())
    assert {key: facts[key] for key in KEPT} == {key: FACTS[key] for key in KEPT}


def test_facts_missing_in_an_earlier_export_are_taken_as_none(
    installation: Path, command: Command, tmp_path: Path
) -> None:
    (tmp_path / "one.eml").write_bytes(b"Subject: one\r\n\r\n")
    later = ("dsn", "is_suspect", "is_delay_told", "message_id", "origin")
    (tmp_path / "one.json").write_text(
        json.dumps({key: FACTS[key] for key in FACTS if key not in later})
    )
    assert command("queue", "import", tmp_path / "one.eml").code == 0
    command("queue", "export", tmp_path / "out")
    [side] = (tmp_path / "out").glob("*.json")
    facts = json.loads(side.read_text())
    assert [facts[key] for key in later] == [None, False, False, None, None]


def test_no_field_of_a_message_says_what_becomes_of_reports(
    installation: Path, command: Command, tmp_path: Path
) -> None:
    """Its sender wrote those. Only fields of an operator's export, or of Postfix, are trusted."""
    head = b"Return-Path: <a@sender.example>\nX-Envelope-To: x@alpha.example\n"
    (tmp_path / "one.eml").write_bytes(head + b"X-Restante-Notify: SUCCESS\nDSN: ret=FULL\n\n")
    assert command("queue", "import", tmp_path / "one.eml").code == 0
    command("queue", "export", tmp_path / "out")
    [side] = (tmp_path / "out").glob("*.json")
    assert json.loads(side.read_text())["dsn"] is None


def test_a_quota_keeps_mail_out_and_says_which_and_how(
    installation: Path, command: Command, tmp_path: Path
) -> None:
    command("domain", "set", "alpha.example", "--quota-messages", "2")
    for number in range(3):
        (tmp_path / f"{number}.eml").write_bytes(
            b"Return-Path: <>\nX-Original-To: x@alpha.example\n\n%d\n" % number
        )
    full = command("queue", "import", tmp_path)
    assert full.code == 65
    assert full.out.startswith("2 messages")
    assert (
        "2.eml: the quota of alpha.example is reached; `restante domain set` or `account set`"
        " raises it" in full.err
    )
    command("domain", "set", "alpha.example", "--quota-messages", "3")
    assert (
        command("queue", "import", tmp_path).out == "1 message, 5 B, is held; 2 were held already\n"
    )


@pytest.mark.parametrize("style", ["eml", "maildir", "mbox"])
def test_an_import_that_is_repeated_holds_nothing_twice(
    held: list[dict[str, Any]], command: Command, tmp_path: Path, style: str
) -> None:
    command("queue", "export", tmp_path / "out", "--format", style)
    command("queue", "delete", held[1]["name"], held[3]["name"], "--reason", "half", "--yes")
    assert command("queue", "import", tmp_path / "out").out.endswith(
        "are held; 4 were held already\n"
    )
    assert len(listed(command)) == 6
    assert (
        command("queue", "import", tmp_path / "out").out
        == "0 messages, 0 B, are held; 6 were held already\n"
    )


def test_unusable_messages_are_named_and_the_rest_imported(
    installation: Path, command: Command, tmp_path: Path
) -> None:
    (tmp_path / "a.eml").write_bytes(
        b"Return-Path: <a@sender.example>\nX-Original-To: x@alpha.example\nSubject: fine\n\n"
    )
    (tmp_path / "b.eml").write_bytes(b"Subject: no envelope\n\n")
    (tmp_path / "c.eml").write_bytes(b"Return-Path: <>\nSubject: for nobody\n\n")
    (tmp_path / "d.eml").write_bytes(
        b"Return-Path: <>\nX-Original-To: x@gamma.example\nSubject: elsewhere\n\n"
    )
    (tmp_path / "e.eml").write_bytes(b"Return-Path: <a b@c>\nX-Original-To: x@alpha.example\n\n")
    (tmp_path / "f.eml").write_bytes(b"*** ENVELOPE RECORDS x ***\nsender: a@b\n")
    (tmp_path / "g.json").write_text("{}")
    imported = command("queue", "import", tmp_path)
    assert imported.code == 65
    assert imported.out.startswith("1 message, ")
    assert [line.partition(".eml")[0][-1] for line in imported.err.splitlines()] == [
        "b",
        "c",
        "f",
        "d",
        "e",
    ]
    assert len(listed(command)) == 1


def test_a_domain_that_is_not_hosted_is_said_at_once(
    installation: Path, command: Command, tmp_path: Path
) -> None:
    (tmp_path / "a.eml").write_bytes(b"Return-Path: <>\nX-Original-To: x@gamma.example\n\n")
    refused = command("queue", "import", tmp_path / "a.eml", "--domain", "gamma.example")
    assert refused.code == 66
    assert "gamma.example" in refused.err
    assert command("queue", "import", tmp_path / "nothing").code == 64


def test_an_import_that_fails_half_way_says_so_and_goes_on_when_repeated(
    admin: AdminWorld, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        (tmp_path / f"{number}.eml").write_bytes(
            b"Return-Path: <>\nX-Original-To: x@alpha.example\n\n%d\n" % number
        )
    monkeypatch.setattr(queue_import_command, "AT_ONCE", 2)
    hold = admin.store.reception.hold
    calls: list[int] = []

    async def failing(messages: Sequence[Any], *quotas: Any) -> Any:
        calls.append(len(messages))
        if len(calls) == 2:
            raise StoreError("the disk is full")
        return await hold(messages, *quotas)

    monkeypatch.setattr(admin.store.reception, "hold", failing)
    stopped = command("queue", "import", tmp_path)
    assert stopped.code == 75
    assert "2 messages are held; to continue, run the same command again" in stopped.err
    went_on = command("queue", "import", tmp_path)
    assert (went_on.code, went_on.out) == (0, "3 messages, 15 B, are held; 2 were held already\n")
    assert calls == [2, 2, 2, 1]


@pytest.mark.parametrize("at_once", [1, 200])
def test_copies_of_one_message_stay_as_many_as_they_are(
    installation: Path,
    command: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    at_once: int,
) -> None:
    monkeypatch.setattr(queue_import_command, "AT_ONCE", at_once)
    for number in range(3):
        (tmp_path / f"{number}.eml").write_bytes(
            b"Return-Path: <>\nX-Original-To: x@alpha.example\n\nthe same\n"
        )
    assert command("queue", "import", tmp_path).out.startswith("3 messages")
    assert command("queue", "import", tmp_path).out.endswith("3 were held already\n")
    command("queue", "delete", listed(command)[0]["name"], "--reason", "x", "--yes")
    assert command("queue", "import", tmp_path).out.startswith("1 message, ")
    assert len(listed(command)) == 3


def test_with_a_server_it_is_the_same(admin: AdminWorld, command: Command, tmp_path: Path) -> None:
    out: Outcome = command(
        "queue", "export", tmp_path / "out", "--format", "mbox", "--reason", "moving out"
    )
    assert (out.code, out.err) == (0, "")
    [entry] = asyncio.run(admin.store.audit.audit(limit=1))
    assert (entry.action, entry.reason, entry.acted_from) == (
        "mail-exported",
        "moving out",
        "control socket",
    )
    command("queue", "delete", "--all", "--reason", "x", "--yes")
    assert (
        command("queue", "import", tmp_path / "out").code == 65
    )  # a path with an escape sequence in it is none
    assert listed(command) == []


def test_nothing_in_a_file_is_nothing_to_do(
    installation: Path, command: Command, tmp_path: Path
) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "box").mkdir()
    assert (
        command("queue", "import", tmp_path / "empty", "--format", "mbox").out
        == "0 messages, 0 B, are held\n"
    )
    assert command("queue", "import", tmp_path / "box").out == "0 messages, 0 B, are held\n"
