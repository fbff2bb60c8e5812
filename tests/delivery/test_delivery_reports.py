"""The reports of a drain: stored with its outcomes, by the request and the extensions."""

import asyncio
from email import message_from_bytes
from typing import Any

import pytest

from restante.dsn.dsn_writer import DsnWriter
from restante.mail.delivery_report import Report, ReportAction
from restante.mail.dsn_request import DsnRequest, Notify, RecipientRequest, Ret
from restante.mail.envelope import Envelope
from restante.queue.recipient_status import RecipientStatus
from restante.store.store_errors import StoreError
from restante.telemetry.events import DeliveryRefused, ReportMade
from restante.tenancy.model import HostedDomain
from tests.delivery.drained import play
from tests.delivery.scripted_primary import ScriptedPrimary
from tests.delivery.world import World

ANNA, BERT = "anna@b.example", "bert@b.example"
SUCCESS = DsnRequest(
    Ret.FULL, "QQ314", {ANNA: RecipientRequest(Notify.SUCCESS, "rfc822;Anna@b.example")}
)
PLAIN, WITH_DSN = ("PIPELINING",), ("PIPELINING", "DSN")


def told(
    world: World,
    primary: ScriptedPrimary,
    *envelopes: Envelope,
    content: bytes = b"A: b\r\n\r\nx\r\n",
) -> list[Report]:
    """Drain messages with these envelopes once. Return the reports in the store afterwards."""
    found: list[Report] = []

    async def scene(world: World, _: ScriptedPrimary, domain: HostedDomain) -> None:
        for envelope in envelopes:
            await world.hold_asking(domain, envelope, content)
        world.set(patience=0)
        await world.drain(domain)
        found.extend(await world.reports())

    play(world, primary, scene)
    return found


def test_a_primary_without_dsn_causes_a_report_of_relaying() -> None:
    """RFC 3461 §5.2.2 (b), and (e) for recipients without a request."""
    primary = ScriptedPrimary(offer=PLAIN, script={"CONTENT": "250 2.0.0 queued as 4711"})
    world = World()
    [report] = told(
        world,
        primary,
        Envelope("s@a.example", (ANNA, BERT), dsn=SUCCESS),
        Envelope("t@a.example", (ANNA,)),
    )
    assert (report.about, report.action, report.reverse_path) == (
        1,
        ReportAction.RELAYED,
        "s@a.example",
    )
    fields = str(message_from_bytes(report.content).get_payload(1))
    assert "Final-Recipient: rfc822; anna@b.example" in fields
    assert "4711" not in fields  # strangers learn neither the reply of the primary nor its place
    assert "Remote-MTA" not in fields
    assert "bert@" not in fields
    assert [taken.content for taken in primary.taken] == [b"A: b\r\n\r\nx\r\n"] * 2
    assert not [command for command in primary.commands if "NOTIFY" in command or "RET" in command]
    assert [line["action"] for line in world.log.of(ReportMade)] == ["relayed"]


def test_an_account_that_wants_it_has_its_primary_named_in_reports_of_success() -> None:
    primary = ScriptedPrimary(offer=PLAIN, script={"CONTENT": "250 2.0.0 queued as 4711"})
    world = World(report_details=True)
    [report] = told(world, primary, Envelope("s@a.example", (ANNA,), dsn=SUCCESS))
    fields = str(message_from_bytes(report.content).get_payload(1))
    assert "Diagnostic-Code: smtp; 250 2.0.0 queued as 4711" in fields
    assert "Remote-MTA: dns; [127.0.0.1]" in fields


def test_a_destination_that_reports_itself_gets_the_request_instead() -> None:
    primary = ScriptedPrimary(offer=WITH_DSN)
    assert told(World(), primary, Envelope("s@a.example", (ANNA,), dsn=SUCCESS)) == []
    assert primary.commands[1:3] == [
        "MAIL FROM:<s@a.example> RET=FULL ENVID=QQ314",
        "RCPT TO:<anna@b.example> NOTIFY=SUCCESS ORCPT=rfc822;Anna@b.example",
    ]


@pytest.mark.parametrize(
    "envelope",
    [
        Envelope("", (ANNA,), dsn=SUCCESS),
        Envelope("s@a.example", (ANNA,), dsn=SUCCESS, is_suspect=True),
        Envelope(
            "s@a.example",
            (ANNA,),
            dsn=DsnRequest(recipients={ANNA: RecipientRequest(Notify.NEVER)}),
        ),
    ],
)
def test_nobody_else_is_told(envelope: Envelope) -> None:
    primary = ScriptedPrimary(offer=PLAIN)
    assert told(World(), primary, envelope) == []
    assert len(primary.taken) == 1


def test_refused_mail_waits_untold_where_the_domain_keeps_it() -> None:
    world = World()
    assert (
        told(
            world,
            ScriptedPrimary(script={"RCPT": "550 5.1.1 nobody"}),
            Envelope("s@a.example", (ANNA,)),
        )
        == []
    )
    assert asyncio.run(world.waiting(RecipientStatus.REFUSED)) == [1]


def test_refused_mail_is_bounced_where_the_domain_wants_that() -> None:
    primary = ScriptedPrimary(script={"RCPT TO:<anna": "550 5.1.1 nobody"})
    world = World(bounces_refused=True)
    [report] = told(world, primary, Envelope("s@a.example", (ANNA, BERT)))
    assert (report.action, report.about) == (ReportAction.FAILED, 1)
    assert "550 5.1.1 nobody" in report.content.decode()
    assert asyncio.run(world.waiting()) == []
    [line] = world.log.of(DeliveryRefused)
    assert line["bounced"] is True


@pytest.mark.parametrize(
    ("envelope", "left"),
    [
        (Envelope("", (ANNA,)), []),  # a report that cannot be delivered is nobody's any more
        (
            Envelope(
                "s@a.example",
                (ANNA,),
                dsn=DsnRequest(recipients={ANNA: RecipientRequest(Notify.NEVER)}),
            ),
            [],
        ),
        (
            Envelope("s@a.example", (ANNA,), is_suspect=True),
            [1],
        ),  # nobody could be told: it stays to be looked at
    ],
)
def test_bouncing_without_a_report(envelope: Envelope, left: list[int]) -> None:
    world = World(bounces_refused=True)
    assert told(world, ScriptedPrimary(script={"RCPT": "550 5.1.1 nobody"}), envelope) == []
    assert asyncio.run(world.waiting(RecipientStatus.REFUSED)) == left


def test_a_report_is_stored_with_its_outcome_or_neither_is() -> None:
    """The settling fails at first; tried again it stores both, once."""
    world = World()
    settle = world.store.handover.settle
    failures = [StoreError("the disk is away")] * 2

    async def fail_at_first(*arguments: Any) -> None:
        if failures:
            raise failures.pop()
        await settle(*arguments)

    world.intercept("settle", fail_at_first)
    reports = told(
        world, ScriptedPrimary(offer=PLAIN), Envelope("s@a.example", (ANNA,), dsn=SUCCESS)
    )
    assert len(reports) == 1
    assert asyncio.run(world.waiting()) == []


def test_of_a_large_message_the_headers_come_from_its_file() -> None:
    world = World()

    async def story() -> None:
        domain = await world.host(25)
        await world.hold_large(
            domain, b"Received: by us\r\n", b"Subject: large\r\n\r\n" + b"x" * 100_000
        )
        [message] = await world.store.handover.held(domain.id, 0, 1, 1)
        dsn_writer = DsnWriter(world.store.content, "mx2.example.net", lambda: world.now)
        beginning = await dsn_writer._beginning(message)
        assert beginning.startswith(b"Received: by us\r\nSubject: large\r\n\r\n")
        assert len(beginning) < 70_000

    asyncio.run(story())
