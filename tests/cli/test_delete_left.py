"""`queue delete --delivered-since-backup`: its output, questions, deletions and refusals."""

import json
from pathlib import Path
from typing import Any

import pytest

from restante.cli import delete_left
from restante.store.store_errors import StoreError
from tests.admin.admin_world import HEAD, AdminWorld
from tests.cli.conftest import Command

COUNTED = (
    "2 messages, 2 recipients that left: 1 delivered, 1 expired; 1 message keeps other recipients"
)
DOUBT = (
    "the history is about another message with this name; it stays; look at it with `restante queue"
    " show`"
)
REASON = ("--reason", "restored a backup")


def entry(name: str, path: str, outcome: str = "delivered", **fields: Any) -> dict[str, Any]:
    """A line of `restante trace --ndjson`."""
    told = {
        "id": 9,
        "at": "2025-10-09T08:53:20Z",
        "outcome": outcome,
        "name": name,
        "domain": "alpha.example",
        "received_at": "2025-10-09T07:53:20Z",
        "octets": len(HEAD),
        "reverse_path": "a@sender.example",
        "forward_path": path,
        "client": "192.0.2.1",
        "message_id": "",
        "reply": "250 2.0.0 Ok",
        "drain": 1,
        "release": "",
        "way": "destination",
    }
    return told | fields


X, Y = "x@alpha.example", "y@alpha.example"
NEWER = [
    entry("13", Y),
    entry("13", X, "uncertain"),
    entry("14", "z@beta.example", "expired", reverse_path="", domain="beta.example"),
    entry("11", X, octets=5),
    entry("77", X),
]


@pytest.fixture
def history(tmp_path: Path) -> Path:
    path = tmp_path / "history.ndjson"
    path.write_text("".join(f"{json.dumps(one)}\n" for one in NEWER))
    return path


def left(command: Command) -> dict[str, list[str]]:
    listed = json.loads(command("queue", "list", "--json").out)
    return {one["name"]: [each["forward_path"] for each in one["recipients"]] for one in listed}


def test_a_dry_run_shows_the_mail_and_deletes_nothing(
    filled: AdminWorld, command: Command, history: Path
) -> None:
    before = left(command)
    shown = command(
        *("queue", "delete", "--delivered-since-backup", "--history", history, "--dry-run")
    )
    assert shown.out.splitlines()[-2:] == [
        f"4 entries of the history; {COUNTED}",
        "nothing was deleted",
    ]
    assert "13    alpha.example  delivered  2025-10-09 08:53:20Z  y@alpha.example" in shown.out
    assert (shown.code, shown.err) == (
        65,
        f"restante: message 11: {DOUBT}\n",
    )
    assert left(command) == before


def test_a_deletion_needs_a_reason(filled: AdminWorld, command: Command, history: Path) -> None:
    before = left(command)
    for choice in (("--delivered-since-backup", "--history", history), ("11",)):
        refused = command("queue", "delete", *choice, "--yes")
        assert refused.code == 64
        assert refused.err == (
            "restante: missing option '--reason'; see restante queue delete --help\n"
        )
    assert left(command) == before


def test_only_recipients_that_left_are_deleted(
    filled: AdminWorld, command: Command, history: Path
) -> None:
    before = left(command)
    done = command(
        *("queue", "delete", "--delivered-since-backup", "--history", history, "--yes"), *REASON
    )
    assert done.out.splitlines()[-1] == "2 messages deleted, for the recipients that left"
    assert left(command) == {"11": before["11"], "12": before["12"], "13": [X]}


def test_json_has_all_of_it(filled: AdminWorld, command: Command, history: Path) -> None:
    text = history.read_text()
    done = command(
        *("queue", "delete", "--delivered-since-backup", "--history", "-", "--json", "--yes"),
        *REASON,
        stdin=text,
    )
    shown = json.loads(done.out)
    assert {key: shown[key] for key in ("entries", "outcomes", "deleted", "missing")} == {
        "entries": 4,
        "outcomes": {"delivered": 1, "expired": 1},
        "deleted": 2,
        "missing": [],
    }
    assert [one["name"] for one in shown["messages"]] == ["13", "14"]
    assert [one["doubt"] for one in shown["doubtful"]] == ["other-facts"]


def test_without_a_terminal_it_asks_for_yes_and_deletes_nothing(
    filled: AdminWorld, command: Command, history: Path
) -> None:
    before = left(command)
    done = command("queue", "delete", "--delivered-since-backup", "--history", history, *REASON)
    assert done.code == 64
    assert "cannot ask for confirmation without a terminal; pass --yes" in done.err
    assert left(command) == before


def test_entries_are_sent_a_bounded_number_at_a_time_and_a_broken_run_can_go_on(
    filled: AdminWorld, command: Command, history: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delete_left, "AT_ONCE", 1)
    bounce = filled.store.queue.bounce
    calls: list[int] = []

    async def failing(*given: Any) -> list[int]:
        calls.append(len(given[0]))
        if len(calls) == 2:
            raise StoreError("the disk is full")
        return await bounce(*given)

    monkeypatch.setattr(filled.store.queue, "bounce", failing)
    order = ("queue", "delete", "--delivered-since-backup", "--history", history, "--yes", *REASON)
    assert command(*order).code == 75
    assert left(command)["13"] == [X]
    assert command(*order).out.splitlines()[-1] == (
        "1 message deleted, for the recipients that left"
    )
    assert calls == [1, 1, 1]
    assert sorted(left(command)) == ["11", "12", "13"]


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        (["--delivered-since-backup"], "--delivered-since-backup chooses the messages; give"),
        (["--delivered-since-backup", "--history", "h", "11"], "and no names, filters or --all"),
        (["--dry-run", "11"], "--history, --dry-run and --json need --delivered-since-backup"),
        (["--delivered-since-backup", "--history", "nowhere"], "nowhere: No such file or"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    filled: AdminWorld, command: Command, given: list[str], complaint: str
) -> None:
    before = left(command)
    refused = command("queue", "delete", *given, *REASON)
    assert refused.code in (64, 66)
    assert complaint in " ".join(refused.err.split())
    assert left(command) == before


@pytest.mark.parametrize("line", ["x", "[]", '{"outcome": "delivered"}', "{}", "[" * 100_000])
def test_a_file_that_is_no_history_is_refused_with_its_line(
    filled: AdminWorld, command: Command, tmp_path: Path, line: str
) -> None:
    path = tmp_path / "bad"
    path.write_text(f"{json.dumps(NEWER[0])}\n{line}\n")
    before = left(command)
    order = ("queue", "delete", "--delivered-since-backup", "--history", path, "--yes", *REASON)
    refused = command(*order)
    assert refused.code == 65
    assert "line 2: is not an entry of the history" in " ".join(refused.err.split())
    assert left(command) == before
