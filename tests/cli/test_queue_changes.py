"""Deleting and releasing by filter: counted, confirmed, in bounded steps, and interrupted."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import apsw
import pytest

from restante.cli import queue_changes
from restante.mail.message import message_number
from restante.store.store_errors import StoreError
from restante.tenancy.audit import AuditEntry
from tests.admin.admin_world import AdminWorld
from tests.cli.conftest import Command


def left(command: Command) -> list[str]:
    return [message["name"] for message in json.loads(command("queue", "list", "--json").out)]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (["--domain", "alpha.example"], ["14"]),
        (["--recipient", "Y@*"], ["11", "12", "14"]),
        (["--reverse-path", "<>"], ["11", "12", "13"]),
        (["--status", "refused"], ["11", "13", "14"]),
        (["--domain", "alpha.example", "--status", "held"], ["12", "14"]),
        (["--older", "30m", "--larger", "10"], []),
        (["--older", "2h"], ["11", "12", "13", "14"]),
        (["--message-id", "none@a.example"], ["11", "12", "13", "14"]),
        (["--all"], []),
        (["13", "14"], ["11", "12"]),
    ],
)
def test_only_matching_mail_is_deleted(
    filled: AdminWorld, command: Command, filters: Sequence[str], expected: list[str]
) -> None:
    assert command("queue", "delete", *filters, "--reason", "spam", "--yes").code == 0
    assert left(command) == expected


def test_refused_mail_is_held_again_by_filter(filled: AdminWorld, command: Command) -> None:
    released = command("queue", "release", "--domain", "alpha.example", "--yes")
    assert (released.code, released.out) == (0, "1 message held again\n")
    assert command("queue", "release", "--all", "--yes").out == "0 messages held again\n"


def test_many_are_deleted_a_bounded_number_at_a_time_and_broken_off_the_rest_is_there(
    filled: AdminWorld, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_changes, "AT_ONCE", 1)
    delete = filled.store.queue.delete
    calls: list[int] = []

    async def failing(numbers: Sequence[int], audit: AuditEntry) -> int:
        calls.append(len(numbers))
        if len(calls) == 3:
            raise StoreError("the disk is full")
        return await delete(numbers, audit)

    monkeypatch.setattr(filled.store.queue, "delete", failing)
    stopped = command("queue", "delete", "--all", "--reason", "spam", "--yes")
    assert stopped.code == 75
    assert (
        "at least 2 messages deleted of 4 counted; to continue, run the same command again"
        in stopped.err
    )
    assert left(command) == ["13", "14"]
    assert (
        command("queue", "delete", "--all", "--reason", "spam", "--yes").out
        == "2 messages deleted\n"
    )
    assert calls == [1, 1, 1, 1, 1]


NOT_BOUNCED = "not bounced: restore it from a backup, or remove it with `restante queue delete`"


def test_of_mail_that_is_given_up_the_damaged_stays_and_is_named(
    installation: Path, command: Command, tmp_path: Path
) -> None:
    for number in range(3):
        (tmp_path / f"{number}.eml").write_bytes(b"Subject: %d\r\n\r\n" % number)
    command(
        "queue", "import", tmp_path, "--to", "x@alpha.example", "--reverse-path", "a@sender.example"
    )
    damaged = left(command)[1]
    database = apsw.Connection(str(installation / "data" / "restante.db"))
    database.execute("UPDATE message SET head = x'00' WHERE number = ?", (message_number(damaged),))
    database.close()
    done = command("queue", "bounce", "--all", "--reason", "the customer has moved", "--yes")
    assert (done.code, done.out) == (65, "2 messages bounced, 2 senders get a report\n")
    assert done.err == f"restante: message {damaged}: its seal is broken; {NOT_BOUNCED}\n"
    [listed] = json.loads(command("queue", "list", "--status", "damaged", "--json").out)
    assert (listed["name"], len(left(command))) == (damaged, 1)
    every = command("queue", "release", "--all", "--yes")
    assert (every.code, every.out) == (0, "0 messages held again\n")
    for chosen in ([damaged], ["--all", "--status", "damaged"]):
        named = command("queue", "release", *chosen, "--yes")
        assert (named.code, named.out) == (65, "0 messages held again\n")
        assert named.err.endswith(NOT_BOUNCED.replace("bounced", "held again") + "\n")
    assert "1 message is damaged" in command("status").out
    again = command(
        "queue", "bounce", damaged, "zzz", "--reason", "the customer has moved", "--yes"
    )
    assert (again.code, again.out) == (65, "0 messages bounced, 0 senders get a report\n")
    assert NOT_BOUNCED in again.err
    assert "message zzz: is not in the queue" in again.err


def test_an_interruption_says_how_far_it_came(
    filled: AdminWorld, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupting(queue_changes.QueueWork):
        async def run(self, api: Any, names: Sequence[str]) -> None:
            await super().run(api, names[:1])
            self.total = len(names)
            raise KeyboardInterrupt

    monkeypatch.setattr(queue_changes, "QueueWork", Interrupting)
    stopped = command("queue", "delete", "--all", "--reason", "spam", "--yes")
    assert (stopped.code, stopped.out) == (75, "")
    assert "queue delete: stopped: at least 1 message deleted of 4" in stopped.err


def test_mail_is_bounced_from_the_command_line(admin: AdminWorld, command: Command) -> None:
    refused = command("queue", "bounce", "12", "--reason", "no such mailbox")
    assert (refused.code, refused.err) == (
        64,
        (
            "restante: queue bounce: 1 message: cannot ask for confirmation without a terminal;"
            " pass --yes\n"
        ),
    )
    done = command("queue", "bounce", "12", "zzz", "--reason", "no such mailbox", "--yes")
    assert (done.code, done.out) == (66, "1 message bounced, 1 sender gets a report\n")
    assert "message zzz: is not in the queue" in done.err
    assert [message["name"] for message in json.loads(command("queue", "list", "--json").out)] == [
        "11"
    ]


def test_of_those_bounced_the_senders_who_cannot_be_told_are_counted(
    admin: AdminWorld, command: Command
) -> None:
    number = admin.context.directory.now.domains["alpha.example"].id
    for message, path in ((50, ""), (51, "a@sender.example")):
        asyncio.run(admin.hold(message, number, "x@alpha.example", reverse_path=path))
        asyncio.run(admin.refuse(message, number, "x@alpha.example", "550 5.1.1 no such user"))
    done = command("queue", "bounce", "1j", "1k", "--reason", "no such mailbox", "--yes")
    assert done.out == (
        "2 messages bounced, 1 sender gets a report, "
        "1 sender gets no report (null or suspect reverse-path, or NOTIFY=NEVER)\n"
    )


def test_one_named_message_is_deleted_without_a_question(
    admin: AdminWorld, command: Command
) -> None:
    assert command("queue", "delete", "11", "--reason", "spam").out == "1 message deleted\n"
    refused = command("queue", "delete", "11", "12", "--reason", "spam")
    assert (refused.code, "cannot ask for confirmation" in refused.err) == (64, True)
