"""Deleting and releasing by filter: counted, confirmed, in bounded steps, and interrupted."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import apsw
import pytest
import typer

from restante.cli import queue_changes, queue_selection
from restante.mail.message import message_number
from restante.store.store_errors import StoreError
from restante.tenancy.audit import AuditAction, AuditEntry, AuditFilter
from tests.admin.desk import HEAD, Desk
from tests.cli.conftest import Command


@pytest.fixture
def filled(desk: Desk) -> Desk:
    """With 11 (held) and 12 (refused) of alpha.example: 13 to x and y there, 14 of beta.example."""
    alpha = desk.context.directory.now.domains["alpha.example"].id
    asyncio.run(desk.hold(35, alpha, "x@alpha.example", "y@alpha.example"))
    beta = asyncio.run(desk.host("beta.example", "beta"))
    asyncio.run(desk.hold(36, beta, "z@beta.example", reverse_path=""))
    return desk


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Somebody who answers every question with a no; the questions are kept."""
    asked: list[str] = []

    def confirm(text: str, *, abort: bool) -> None:
        asked.append(text)
        raise typer.Abort

    monkeypatch.setattr(
        queue_selection, "sys", SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True))
    )
    monkeypatch.setattr(typer, "confirm", confirm)
    return asked


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
        (["--all"], []),
        (["13", "14"], ["11", "12"]),
    ],
)
def test_what_matches_is_deleted_and_nothing_else(
    filled: Desk, command: Command, filters: Sequence[str], expected: list[str]
) -> None:
    assert command("queue", "delete", *filters, "--reason", "spam", "--yes").code == 0
    assert left(command) == expected


def test_what_is_to_be_deleted_is_counted_and_asked_about(
    filled: Desk, command: Command, terminal: list[str]
) -> None:
    assert command("queue", "delete", "--domain", "alpha.example", "--reason", "spam").code == 130
    assert terminal == [f"3 messages, {3 * len(HEAD)} B, of alpha.example: delete permanently?"]
    assert command("queue", "delete", "--recipient", "x@*", "--reason", "spam").code == 130
    assert "(1 of them also for other recipients" in terminal[1]
    assert command("queue", "delete", "--all", "--reason", "spam").code == 130
    assert "4 messages" in terminal[2]
    assert "of 2 domains" in terminal[2]
    assert left(command) == ["11", "12", "13", "14"]


def test_without_a_terminal_many_are_changed_only_with_yes(filled: Desk, command: Command) -> None:
    for verb in ("delete", "release"):
        refused = command("queue", verb, "--domain", "alpha.example", "--reason", "spam")
        assert refused.code == 64
        assert (
            "of alpha.example: cannot ask for confirmation without a terminal; pass --yes"
            in refused.err
        )
    assert left(command) == ["11", "12", "13", "14"]


@pytest.mark.parametrize("verb", ["delete", "release"])
@pytest.mark.parametrize(
    "filters", [[], ["11", "--domain", "alpha.example"], ["--all", "--older", "1h"]]
)
def test_which_messages_must_be_said_in_one_way(
    filled: Desk, command: Command, verb: str, filters: Sequence[str]
) -> None:
    refused = command("queue", verb, *filters, "--reason", "spam", "--yes")
    assert refused.code == 64
    assert "give names, or filters" in refused.err
    assert left(command) == ["11", "12", "13", "14"]


def test_refused_mail_is_held_again_by_filter(filled: Desk, command: Command) -> None:
    released = command("queue", "release", "--domain", "alpha.example", "--yes")
    assert (released.code, released.out) == (0, "1 message held again\n")
    assert command("queue", "release", "--all", "--yes").out == "0 messages held again\n"


def test_a_filter_that_nothing_matches_asks_nothing(
    filled: Desk, command: Command, terminal: list[str]
) -> None:
    done = command("queue", "delete", "--recipient", "nobody@*", "--reason", "spam")
    assert (done.code, done.out, terminal) == (0, "0 messages deleted\n", [])


def test_counting_reads_page_after_page(
    filled: Desk, command: Command, terminal: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for size in (1, 2, 3):
        monkeypatch.setattr(queue_selection, "PAGE", size)
        command("queue", "delete", "--all", "--reason", "spam")
    assert [text.split(",")[0] for text in terminal] == ["4 messages"] * 3


def test_many_are_deleted_a_bounded_number_at_a_time_and_broken_off_the_rest_is_there(
    filled: Desk, command: Command, monkeypatch: pytest.MonkeyPatch
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
    assert (
        done.err
        == f"restante: message {damaged}: its content does not match its checksum; {NOT_BOUNCED}\n"
    )
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
    filled: Desk, command: Command, monkeypatch: pytest.MonkeyPatch
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


def test_content_is_written_octet_for_octet_and_the_trail_keeps_that(
    filled: Desk, command: Command
) -> None:
    shown = command("queue", "show", "12", "--raw", "--reason", "asked by the customer")
    assert (shown.code, shown.out) == (0, HEAD.decode())
    [entry] = asyncio.run(filled.store.trail.audit(AuditFilter(account="alpha"), limit=1))
    assert (entry.action, entry.subject, entry.reason) == (
        AuditAction.CONTENT_READ,
        "12",
        "asked by the customer",
    )


def test_content_that_cannot_be_recorded_is_not_shown(
    filled: Desk, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_entries: object) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(filled.store.trail, "record", fail)
    shown = command("queue", "show", "12", "--raw")
    assert (shown.code, shown.out) == (75, "")


def test_content_goes_to_no_terminal(
    filled: Desk, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    shown = command("queue", "show", "12", "--raw")
    assert (shown.code, shown.out) == (64, "")
    assert "less" in shown.err


def test_content_is_to_be_had_without_a_server(
    installation: object, command: Command, tmp_path: Path
) -> None:
    (tmp_path / "one.eml").write_bytes(b"Subject: one\r\n\r\nText\r\n")
    command(
        "queue", "import", tmp_path / "one.eml", "--to", "x@alpha.example", "--reverse-path", "<>"
    )
    assert command("queue", "show", left(command)[0], "--raw").out == "Subject: one\r\n\r\nText\r\n"
    missing = command("queue", "show", "zzz", "--raw")
    assert (missing.code, missing.out) == (66, "")
