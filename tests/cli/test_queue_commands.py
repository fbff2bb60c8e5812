"""The queue from the command line: listed, shown, and written octet for octet."""

import asyncio
import json
from pathlib import Path

import pytest

from restante.mail.dsn_request import DsnRequest, RecipientRequest, Ret, parse_notify
from restante.mail.envelope import Envelope
from restante.mail.message import NewMessage
from restante.mail.message_origin import MessageOrigin, PtrStatus
from restante.mail.policy_deferrals import PolicyDeferrals
from restante.queue.recipient_status import MessageOutcome, RecipientMove, RecipientOutcome
from restante.store.store_errors import StoreError
from restante.tenancy.audit import AuditAction, AuditFilter
from tests.admin.admin_world import HEAD, NOW, AdminWorld
from tests.cli.conftest import Command
from tests.contract.making import opened


def left(command: Command) -> list[str]:
    return [message["name"] for message in json.loads(command("queue", "list", "--json").out)]


def test_the_queue_is_shown_and_changed(admin: AdminWorld, command: Command) -> None:
    assert "refused" in command("queue", "list", "--status", "refused").out
    shown = command("queue", "show", "12").out
    assert "x@alpha.example> refused (1 attempt): 550 5.7.1" in shown
    assert "\nReceived: from a by b; now\nSubject: x\n" in f"{shown}"
    assert "business" not in shown
    assert command("queue", "release", "12", "--status", "damaged").out == "0 messages held again\n"
    assert command("queue", "release", "12").out == "1 message held again\n"
    deleted = command("queue", "delete", "11", "zzz", "--reason", "spam", "--yes")
    assert (deleted.code, deleted.out) == (66, "1 message deleted\n")
    assert [message["name"] for message in json.loads(command("queue", "list", "--json").out)] == [
        "12"
    ]


def test_the_origin_of_a_message_is_shown_if_it_is_known(
    admin: AdminWorld, command: Command
) -> None:
    assert "not known" in command("queue", "show", "12").out
    number = admin.context.directory.now.domains["alpha.example"].id
    named = MessageOrigin("192.0.2.9", 4711, "mx.b.example", "", "host.example", {"filter": "x"})
    origin = named._replace(ptr=PtrStatus.UNCONFIRMED)
    envelope = Envelope("", ("x@alpha.example",))
    message = NewMessage(60, number, envelope, NOW, HEAD, origin=origin, message_id="<1@b.example>")
    asyncio.run(hold_one(admin, message))
    lines = command("queue", "show", "1w").out.splitlines()
    shown = {name: value.strip() for name, _, value in (line.partition(" ") for line in lines)}
    assert shown["message-id"] == "<1@b.example>"
    assert shown["origin"] == "[192.0.2.9] port 4711"
    assert shown["host-name"] == "host.example, unconfirmed"
    assert (shown["hello"], shown["tls"]) == ("mx.b.example", "none")
    assert shown["check"] == "filter: x"
    view = json.loads(command("queue", "show", "1w", "--json").out)
    assert view["message_id"] == "<1@b.example>"
    assert view["origin"]["verdicts"] == {"filter": "x"}


async def hold_one(admin: AdminWorld, message: NewMessage) -> None:
    assert await admin.store.reception.hold([message]) == {}


def test_the_request_of_a_sender_for_reports_is_shown(admin: AdminWorld, command: Command) -> None:
    number = admin.context.directory.now.domains["alpha.example"].id
    wishes = RecipientRequest(notify=parse_notify("SUCCESS,DELAY"), original="rfc822;x@old.example")
    dsn = DsnRequest(Ret.FULL, "id-1", {"x@alpha.example": wishes})
    asyncio.run(admin.hold(50, number, "x@alpha.example", dsn=dsn))
    shown = command("queue", "show", "1j").out
    assert "\nreports       RET=FULL, ENVID=id-1\n" in shown
    wanted = "<x@alpha.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;x@old.example held"
    assert wanted in " ".join(shown.split())


def test_a_full_page_says_that_there_may_be_more(admin: AdminWorld, command: Command) -> None:
    assert (
        "2 messages are shown, there may be more; raise --limit"
        in command("queue", "list", "--limit", "2").err
    )
    assert (
        "1 message is shown, there may be more; raise --limit"
        in command("queue", "list", "--limit", "1").err
    )


@pytest.mark.parametrize("is_terminal", [False, True])
def test_words_of_strangers_never_control_the_terminal(
    admin: AdminWorld, command: Command, monkeypatch: pytest.MonkeyPatch, is_terminal: bool
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: is_terminal)
    shown = command("queue", "list").out + command("queue", "show", "12").out
    assert "\\x1b[31m@evil" in shown.replace("\n", "")
    assert "\x1b[31m@evil" not in shown
    assert "[bold]mail[/bold]\\x07" in shown


@pytest.fixture
def filled(admin: AdminWorld) -> AdminWorld:
    """With 11 (held) and 12 (refused) of alpha.example: 13 to x and y there, 14 of beta.example."""
    alpha = admin.context.directory.now.domains["alpha.example"].id
    asyncio.run(admin.hold(35, alpha, "x@alpha.example", "y@alpha.example"))
    beta = asyncio.run(admin.host("beta.example", "beta"))
    asyncio.run(admin.hold(36, beta, "z@beta.example", reverse_path=""))
    return admin


def test_content_is_written_octet_for_octet_and_the_trail_keeps_that(
    filled: AdminWorld, command: Command
) -> None:
    shown = command("queue", "show", "12", "--raw", "--reason", "asked by the customer")
    assert (shown.code, shown.out) == (0, HEAD.decode())
    [entry] = asyncio.run(filled.store.audit.audit(AuditFilter(account="alpha"), limit=1))
    assert (entry.action, entry.subject, entry.reason) == (
        AuditAction.CONTENT_READ,
        "12",
        "asked by the customer",
    )


def test_content_that_cannot_be_recorded_is_not_shown(
    filled: AdminWorld, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_entries: object) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(filled.store.audit, "record", fail)
    shown = command("queue", "show", "12", "--raw")
    assert (shown.code, shown.out) == (75, "")


def test_content_goes_to_no_terminal(
    filled: AdminWorld, command: Command, monkeypatch: pytest.MonkeyPatch
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


def test_a_listing_of_all_domains_says_which_are_suspended(
    admin: AdminWorld, command: Command
) -> None:
    assert "suspended" not in command("queue", "list").out
    number = asyncio.run(admin.host("beta.example", "beta"))
    asyncio.run(admin.hold(35, number, "x@beta.example"))
    command("domain", "set", "beta.example", "--hold", "suspended", "--reason", "unpaid")
    assert "beta.example is suspended: unpaid\n" in command("queue", "list").out
    assert "suspended" not in command("queue", "list", "alpha.example").out


def test_only_one_domain_can_be_listed(admin: AdminWorld, command: Command) -> None:
    assert admin.server
    shown = command("queue", "list", "alpha.example", "--domain", "beta.example")
    assert (shown.code, shown.out) == (64, "")
    assert "only one domain can be selected; name one, or none for all" in shown.err


def test_mail_is_listed_and_deleted_by_the_address_of_its_client(
    admin: AdminWorld, command: Command
) -> None:
    number = admin.context.directory.now.domains["alpha.example"].id
    for place, client in enumerate(("192.0.2.9", "198.51.100.1"), 60):
        envelope = Envelope("", ("x@alpha.example",))
        origin = MessageOrigin(client, 4711, "mx.b.example")
        mail = NewMessage(place, number, envelope, NOW, HEAD, origin=origin)
        asyncio.run(hold_one(admin, mail))
    found = json.loads(command("queue", "list", "--from-address", "192.0.2.0/24", "--json").out)
    assert [one["name"] for one in found] == ["1w"]
    deleted = command("queue", "delete", "--from-address", "192.0.2.9", "--reason", "spam", "--yes")
    assert (deleted.code, deleted.out) == (0, "1 message deleted\n")
    assert command("queue", "list", "--from-address", "192.0.2.9", "--json").out.strip() == "[]"


@pytest.mark.parametrize("text", ["192.0.2.1/24", "mx.b.example", ""])
def test_an_odd_address_is_refused(command: Command, text: str) -> None:
    ended = command("queue", "list", "--from-address", text)
    assert ended.code == 64
    assert "neither an address nor a network" in " ".join(ended.err.split())


def test_mail_deferred_by_a_policy_is_told_with_the_reply(
    admin: AdminWorld, command: Command
) -> None:
    number = admin.context.directory.now.domains["alpha.example"].id
    envelope = Envelope("b@b.example", ("x@alpha.example",), is_suspect=True)
    policy = "450 4.7.1 not with this reputation"
    deferred = RecipientOutcome("x@alpha.example", RecipientMove.DEFERRED, policy)

    async def defer() -> None:
        await hold_one(admin, NewMessage(60, number, envelope, NOW, HEAD))
        drain = await opened(admin.store, number)
        outcome = MessageOutcome(60, (deferred,), deferrals=PolicyDeferrals(4, 7))
        await admin.store.handover.settle(drain, [outcome])

    asyncio.run(defer())
    [line] = [one for one in command("queue", "list").out.splitlines() if one.startswith("1w ")]
    assert " held, suspect, deferred in 4 drains" in line
    shown = " ".join(command("queue", "show", "1w").out.split())
    assert f"deferred by a policy of the destination in 4 drains: {policy}" in shown
    status = command("status").out.splitlines()
    [titles] = [one for one in status if one.startswith("DOMAIN")]
    assert "BY POLICY" in titles
    assert json.loads(command("status", "--json").out)["domains"][0]["deferred_by_policy"] == 1


def test_suspect_mail_is_told_in_a_listing(admin: AdminWorld, command: Command) -> None:
    number = admin.context.directory.now.domains["alpha.example"].id
    envelope = Envelope("b@b.example", ("x@alpha.example",), is_suspect=True)
    asyncio.run(hold_one(admin, NewMessage(60, number, envelope, NOW, HEAD)))
    for words in (["queue", "list"], ["trace", "--to", "*"]):
        [line] = [one for one in command(*words).out.splitlines() if one.startswith("1w ")]
        assert " held, suspect " in line
    [found] = json.loads(command("queue", "list", "--json").out)[-1:]
    assert (found["name"], found["is_suspect"]) == ("1w", True)
