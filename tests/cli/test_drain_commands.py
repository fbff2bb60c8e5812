"""Drains from the command line."""

import json

import pytest

from restante.cli import api_client
from restante.queue.drain_word import DrainEnd
from restante.store.handover_store import PastDrain
from tests.admin.admin_world import NOW, AdminWorld, ask_for, run
from tests.cli.conftest import Command


def test_drains_are_listed_and_stopped(admin: AdminWorld, command: Command) -> None:
    shown = command("drain", "list").out
    assert "alpha.example  delivering" in shown
    assert max(map(len, shown.splitlines())) <= 80
    assert json.loads(command("drain", "list", "--json").out)[0]["state"] == "delivering"
    stopped = command("drain", "stop", "ALPHA.example", "--reason", "they asked")
    assert (
        stopped.out
        == "alpha.example: the drain stops after 5 messages handed over; the rest stays held\n"
    )
    assert admin.server
    assert admin.server.stopped[0][1].startswith("stopped by operator")
    assert admin.server.stopped[0][1].endswith(": they asked")
    assert (
        json.loads(command("drain", "stop", "alpha.example", "--json").out)["domain"]
        == "alpha.example"
    )
    actions = json.loads(command("audit", "--json").out)
    assert [(one["action"], one["reason"]) for one in actions[:2]] == [
        ("drain-stopped", ""),
        ("drain-stopped", "they asked"),
    ]
    assert command("drain", "stop", "unknown.example").code == 66


def test_a_drain_has_a_count_of_uncertain_mail_where_there_is_some(
    admin: AdminWorld, command: Command
) -> None:
    assert admin.server
    assert "UNCERTAIN" not in command("drain", "list").out
    admin.server.uncertain = 4
    assert "UNCERTAIN" in command("drain", "list").out
    assert "UNCERTAIN" in command("status").out
    [drain] = json.loads(command("drain", "list", "--json").out)
    assert (drain["refused"], drain["uncertain"]) == (0, 4)


@pytest.fixture
def past(admin: AdminWorld) -> None:
    """Three requests for a domain, of which the first has ended and others have joined."""
    domain_id = admin.context.directory.now.domains["alpha.example"].id
    drain = run(ask_for(admin, 50, "alpha.example", domain_id, at=NOW - 9000))
    ended = PastDrain(NOW, NOW, "", DrainEnd.GIVEN_UP, "", 0, 0, 0, "")
    run(admin.store.handover.close_drain(drain, ended))
    for number in (60, 70):
        run(ask_for(admin, number, "alpha.example", domain_id))


@pytest.mark.usefixtures("past")
def test_past_requests_are_listed_newest_first(command: Command) -> None:
    shown = command("drain", "list", "--past").out
    assert "given up" in shown
    assert "by login alpha-mail, 192.0.2.25" in shown.lower()
    assert shown.endswith("3 releases\n")
    assert max(map(len, shown.splitlines())) <= 80
    rows = json.loads(command("drain", "list", "--past", "--json").out)
    assert [one["state"] for one in rows] == ["running", "running", "ended"]


@pytest.mark.usefixtures("past")
def test_past_requests_come_by_pages(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_client, "PAGE", 2)
    for limit, count in ((1, 1), (2, 2), (3, 3), (9, 3)):
        shown = command("drain", "list", "--past", "--limit", str(limit), "--json")
        assert len(json.loads(shown.out)) == count


@pytest.mark.usefixtures("past")
def test_past_requests_narrow(command: Command) -> None:
    for options, count in (
        (("--domain", "alpha.example"), 3),
        (("--since", "2025-10-09T08:00"), 2),
        (("--until", "2025-10-09T08:00"), 1),
    ):
        rows = json.loads(command("drain", "list", "--past", *options, "--json").out)
        assert len(rows) == count


@pytest.mark.usefixtures("admin")
def test_options_of_past_requests_need_them(command: Command) -> None:
    refused = command("drain", "list", "--domain", "alpha.example")
    assert refused.code == 64
    assert "need --past" in refused.err
