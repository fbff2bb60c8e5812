"""`restante trace`, as people and programs read it."""

import asyncio
import json

import pytest

from restante.cli import trace_command
from restante.mail.envelope import Envelope
from restante.mail.message import NewMessage, message_name
from restante.mail.message_origin import MessageOrigin, PtrStatus
from restante.queue.drain_word import DrainWay
from tests.admin.admin_world import HEAD, NOW, RELEASE, AdminWorld, ask_for, run
from tests.cli.conftest import Command
from tests.contract.making import delivered

REFUSED = message_name(34)


def test_held_and_refused_mail_with_the_words_of_the_destination(
    admin: AdminWorld, command: Command
) -> None:
    shown = command("trace", "--to", "x@*")
    assert shown.code == 0
    assert "2 messages here, 1 outcome" in shown.out
    assert "550 5.7.1 no [bold]mail[/bold]" in shown.out
    assert "\x1b" not in shown.out
    assert max(map(len, shown.out.splitlines())) <= 80
    del admin


def test_mail_that_left_shows_the_client_and_the_verdicts_of_checks(
    admin: AdminWorld, command: Command
) -> None:
    domain_id = admin.context.directory.now.domains["alpha.example"].id
    origin = MessageOrigin(
        *("192.0.2.9", 4711, "client.example", "TLSv1.3 TLS_AES_256_GCM_SHA384", "mx.b.example"),
        {"spf": "pass for b.example", "rspamd": "suspect; score 7"},
        PtrStatus.CONFIRMED,
    )
    for number, one in ((60, origin), (61, MessageOrigin("192.0.2.10", 0, "")), (62, None)):
        mail = NewMessage(number, domain_id, Envelope("", ("z@alpha.example",)), NOW, HEAD)
        run(admin.store.reception.hold([mail._replace(origin=one)]))
        run(admin.refuse(number, domain_id, "z@alpha.example", "550 no"))
    words = " ".join(command("trace", "--outcome", "refused", "--to", "z@*").out.split())
    assert (
        "client 192.0.2.9 port 4711 (mx.b.example, confirmed), EHLO client.example, TLSv1.3"
        " TLS_AES_256_GCM_SHA384 checks spf: pass for b.example; rspamd: suspect; score 7"
    ) in words
    assert "client 192.0.2.10, no TLS reply" in words
    found = json.loads(command("trace", "--outcome", "refused", "--to", "z@*", "--json").out)
    unknown, plain, whole = [one["origin"] for one in found["left"]]
    assert (unknown, plain["ptr"]) == (None, "not-looked-up")
    assert (whole["port"], whole["verdicts"]) == (4711, origin.verdicts)
    lines = command("trace", "--to", "z@*", "--ndjson").out.splitlines()
    assert [json.loads(line)["origin"] for line in lines] == [unknown, plain, whole]


def test_a_deleted_message_with_its_audit_entry(admin: AdminWorld, command: Command) -> None:
    assert command("queue", "delete", REFUSED, "--reason", "old").code == 0
    shown = command("trace", REFUSED)
    assert "deleted" in shown.out
    assert "mail-deleted" in shown.out
    assert "old" in shown.out
    del admin


@pytest.mark.usefixtures("admin")
def test_json(command: Command) -> None:
    found = json.loads(command("trace", REFUSED, "--json").out)
    assert [one["name"] for one in found["held"]] == [REFUSED]
    [left] = found["left"]
    assert (left["outcome"], left["forward_path"]) == ("refused", "x@alpha.example")
    assert found["audit"] == []


@pytest.mark.usefixtures("admin")
def test_nothing_found(command: Command) -> None:
    shown = command("trace", "--message-id", "nobody@example.org")
    assert (shown.code, shown.out) == (66, "0 messages here, 0 outcomes\n")


@pytest.mark.usefixtures("admin")
def test_nothing_to_look_for(command: Command) -> None:
    shown = command("trace")
    assert shown.code == 64
    assert "nothing to look for: give a NAME" in shown.err


def test_more_than_is_shown(admin: AdminWorld, command: Command) -> None:
    number = admin.context.directory.now.domains["alpha.example"].id
    asyncio.run(admin.hold(35, number, "x@alpha.example"))
    assert (
        "2 shown, there may be more; raise --limit"
        in command("trace", "--to", "x@*", "--limit", "2").err
    )


@pytest.mark.usefixtures("admin")
@pytest.mark.parametrize("detail", ["full", "domain", "none"])
def test_the_history_of_an_account(command: Command, detail: str) -> None:
    assert command("account", "set", "alpha", "--history", detail).code == 0
    assert json.loads(command("account", "show", "alpha", "--json").out)["history"] == detail


def test_more_pages_than_one(
    admin: AdminWorld, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace_command, "PAGE", 2)
    domain_id = admin.context.directory.now.domains["alpha.example"].id
    for number in range(100, 105):
        run(admin.hold(number, domain_id, "new@alpha.example"))
    for number in range(200, 205):
        run(admin.hold(number, domain_id, "new@alpha.example"))
        run(admin.refuse(number, domain_id, "new@alpha.example", "550 no"))
        assert command("queue", "delete", message_name(number), "--reason", "x").code == 0
    for limit, held, left in ((1, 1, 1), (2, 2, 2), (3, 3, 3), (5, 5, 5), (6, 5, 6), (99, 5, 10)):
        shown = command("trace", "--to", "new@*", "--limit", str(limit), "--json")
        found = json.loads(shown.out)
        assert (len(found["held"]), len(found["left"])) == (held, left)
        assert len({one["name"] for one in found["held"]}) == held
        assert len({one["id"] for one in found["left"]}) == left


def test_the_release_that_moved_it(admin: AdminWorld, command: Command) -> None:
    domain_id = admin.context.directory.now.domains["alpha.example"].id
    drain = run(ask_for(admin, RELEASE, "alpha.example", domain_id))
    run(admin.store.handover.settle(drain, [delivered(33, "x@alpha.example")]))
    shown = " ".join(command("trace", message_name(33)).out.split())
    name = message_name(RELEASE)
    assert (
        f"release {name} of alpha.example by login alpha-mail, 192.0.2.25: granted, 1 delivered"
    ) in shown
    found = json.loads(command("trace", message_name(33), "--json").out)
    assert [one["release"] for one in found["left"]] == [name]
    assert [one["id"] for one in found["releases"]] == [name]
    by_its_id = command("trace", name)
    assert by_its_id.code == 0
    assert f"release {name}" in by_its_id.out


def test_mail_that_left_by_a_turnaround(admin: AdminWorld, command: Command) -> None:
    domain_id = admin.context.directory.now.domains["alpha.example"].id
    drain = run(ask_for(admin, RELEASE, "alpha.example", domain_id, way=DrainWay.TURNAROUND))
    run(admin.store.handover.settle(drain, [delivered(33, "x@alpha.example")]))
    shown = command("trace", message_name(33)).out
    name = message_name(RELEASE)
    assert "delivered, by ATRN" in shown
    words = " ".join(shown.split())
    assert f"turnaround {name} of alpha.example by login alpha-mail, 192.0.2.25: granted" in words
    assert max(map(len, shown.splitlines())) <= 80
    found = json.loads(command("trace", message_name(33), "--json").out)
    assert [one["way"] for one in (*found["left"], *found["releases"])] == ["turnaround"] * 2
    past = " ".join(command("drain", "list", "--past").out.split())
    assert "login alpha-mail, 192.0.2.25, by ATRN" in past


@pytest.mark.usefixtures("admin")
def test_the_history_as_lines(command: Command) -> None:
    shown = command("trace", "--domain", "alpha.example", "--ndjson")
    [entry] = [json.loads(line) for line in shown.out.splitlines()]
    assert (entry["outcome"], entry["forward_path"]) == ("refused", "x@alpha.example")
    assert shown.code == 0
    nothing = command("trace", "--to", "nobody@*", "--ndjson")
    assert (nothing.code, nothing.out) == (66, "")
    assert "give --ndjson alone" in command("trace", "--to", "x@*", "--ndjson", "--json").err


def test_json_has_more_rows_than_a_table_without_a_limit(
    admin: AdminWorld, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace_command, "USUAL_ROWS", 1)
    monkeypatch.setattr(trace_command, "PAGE", 1)
    found = json.loads(command("trace", "--to", "x@*", "--json").out)
    assert len(found["held"]) == 2
    assert "1 message here" in command("trace", "--to", "x@*").out
    del admin
