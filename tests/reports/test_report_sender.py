"""Sending reports over real sockets on loopback, by a table of MX records and a test's clock."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from restante.mail.delivery_report import NewReport, ReportAction
from restante.mail.dsn_request import DsnRequest, Notify, RecipientRequest
from restante.mail.envelope import Envelope
from restante.network.resolver import LookupFailed, MxRecord
from restante.queue.report_lanes import ACCOUNT_LANES, LANES, LaneUse, lane_kind
from restante.queue.sending_outcome import Backlog, SendingOutcome
from restante.reports import report_sender
from restante.reports.report_sender import LONGEST_PAUSE, ReportSender
from restante.store.queue_store import MessageBounce
from restante.store.store_errors import StoreError
from restante.telemetry.events import (
    Event,
    InternalError,
    ReportDeferred,
    ReportDropped,
    ReportMade,
    ReportSent,
    StoreFailed,
    SuccessReportsDropped,
)
from restante.tenancy.model import Account
from tests.delivery.scripted_primary import CLOSE, ScriptedPrimary
from tests.delivery.world import until
from tests.reports.post import ANNA, MX, SENDER, Post, play
from tests.wire import NOW, audit


def test_a_report_leaves_from_the_null_reverse_path_to_the_mx_of_its_domain() -> None:
    async def act(post: Post) -> None:
        await post.store(SENDER)
        await post.go_on_until(lambda: bool(post.lines(ReportSent)))
        assert await post.world.reports() == []

    post = play(act)
    [taken] = post.host.taken
    assert (taken.reverse_path, taken.forward_paths) == ("", (SENDER,))
    assert taken.content == b"Subject: report 1\r\n\r\n.\r\n"
    [line] = post.lines(ReportSent)
    assert line == {
        "message": "1",
        "action": "failed",
        "account": "alpha",
        "domain": "a.example",
        "failures": 0,
        "reply": "250 2.0.0 queued",
    }


def test_reports_to_one_domain_share_a_connection() -> None:
    async def act(post: Post) -> None:
        await post.store(SENDER, "t@A.example", "u@a.example.")
        await post.go_on_until(lambda: post.count(ReportSent) == 3)

    post = play(act, ScriptedPrimary(offer=()))
    assert (len(post.host.taken), post.host.connections) == (3, 1)


def test_a_report_that_is_refused_is_dropped_and_answered_by_none() -> None:
    async def act(post: Post) -> None:
        await post.store(SENDER)
        await post.go_on_until(lambda: bool(post.lines(ReportDropped)))
        assert await post.world.reports() == []

    post = play(act, ScriptedPrimary(script={"RCPT": "550 5.1.1 nobody"}))
    [line] = post.lines(ReportDropped)
    assert line["reply"] == "550 5.1.1 nobody"


@pytest.mark.parametrize("trouble", ["450", "CLOSE", "DNS", "away"])
def test_a_report_that_cannot_go_now_is_tried_again_with_growing_pauses(trouble: str) -> None:
    host = ScriptedPrimary()
    if trouble == "450":
        host.script["RCPT"] = ["450 4.2.1 later"] * 3
    elif trouble == "CLOSE":
        host.script["GREETING"] = [CLOSE] * 3

    async def act(post: Post) -> None:
        names = post.world.names
        if trouble == "DNS":
            names.mx["a.example"] = LookupFailed(
                "a.example: MX lookup failed: no name server answered in time", is_temporary=True
            )
        elif trouble == "away":
            names.table = {}

        async def mend() -> None:
            if post.count(ReportDeferred) == 3:
                names.mx["a.example"], names.table = [MxRecord(10, MX)], {MX: ["127.0.0.1"]}

        post.world.on_pause = mend
        await post.store(SENDER)
        await post.go_on_until(lambda: bool(post.lines(ReportSent)))

    post = play(act, host, first_retry=8.0)
    assert [line["failures"] for line in post.lines(ReportDeferred)] == [1, 2, 3]
    assert [taken.forward_paths for taken in post.host.taken if taken.forward_paths] == [(SENDER,)]
    pauses = [pause for pause in post.world.pauses if pause]
    assert [round(pauses[place] / (8 * 2**place)) for place in range(3)] == [1, 1, 1]


def test_after_its_lifetime_a_report_is_dropped() -> None:
    async def act(post: Post) -> None:
        await post.store(SENDER)
        await post.go_on_until(lambda: bool(post.lines(ReportDropped)))
        assert await post.world.reports() == []

    post = play(
        act, ScriptedPrimary(script={"RCPT": "450 4.2.1 later"}), lifetime=3600.0, first_retry=60.0
    )
    assert 1300 < sum(post.world.pauses) <= 3600
    [line] = post.lines(ReportDropped)
    assert line["reply"] == "450 4.2.1 later"


@pytest.mark.parametrize("has_restarted", [True, False])
def test_a_clock_that_was_ahead_for_a_while_keeps_nothing_waiting(has_restarted: bool) -> None:
    """Three reports of which one may leave in a minute; then it is a year earlier."""

    async def act(post: Post) -> None:
        await post.store(SENDER)
        post.world.step(365 * 86400.0)
        await post.store(SENDER, SENDER)
        waiting = await post.world.store.reports.due_reports(post.world.now, 9, 1 << 20)
        put_off = [
            SendingOutcome(one.number, post.world.now + 60.0, "450 later") for one in waiting[1:]
        ]
        await post.world.store.reports.settle_reports(put_off)
        if not has_restarted:
            await post.reports._meet_clock()
            use = LaneUse(lane_kind(ReportAction.FAILED, 0), "alpha", "a.example")
            post.reports._tried_at.append((post.world.monotonic, use))
        post.world.step(-365 * 86400.0)
        await post.go_on_until(lambda: post.count(ReportSent) == 3)

    post = play(act, per_minute=1)
    assert post.world.now < NOW + 3600.0


def test_no_more_are_tried_in_a_minute_than_are_allowed() -> None:
    """However many there are, and to however many domains."""
    sent_at: list[float] = []

    async def act(post: Post) -> None:
        for number in range(7):
            post.world.names.mx[f"a{number}.example"] = [MxRecord(10, MX)]
        await post.store(*(f"s@a{number}.example" for number in range(7)))

        def note(event: Event) -> None:
            if isinstance(event, ReportSent):
                sent_at.append(post.world.now)

        post.world.log.on_event = note
        await post.go_on_until(lambda: len(sent_at) == 7)

    play(act, per_minute=3)
    assert all(later - earlier >= 60 for earlier, later in zip(sent_at, sent_at[3:], strict=False))
    assert sent_at[-1] - sent_at[0] < 200


def test_a_sent_notice_is_not_sent_again_when_the_store_cannot_record_it() -> None:
    async def act(post: Post) -> None:
        settle = post.world.store.reports.settle_reports
        failing = [StoreError("the disk is away")] * 3

        async def fail_at_first(outcomes: Any) -> None:
            if failing:
                raise failing.pop()
            await settle(outcomes)

        due = post.world.store.reports.due_reports
        post.world.intercept("settle_reports", fail_at_first)
        post.world.intercept(
            "due_reports", lambda now, _, octets, *lanes: due(now, 1, octets, *lanes)
        )
        await post.store(SENDER, "t@a.example")
        await post.go_on_until(lambda: post.count(ReportSent) == 2 and not failing)
        assert await post.world.reports() == []

    post = play(act)
    assert len(post.host.taken) == 2
    assert post.count(StoreFailed) == 2


def test_a_defect_in_one_delivery_puts_its_reports_off() -> None:
    async def act(post: Post) -> None:
        post.world.names.table[MX] = ["no address"]
        post.world.log.takes_defects = True
        await post.store(SENDER)
        await post.go_on_until(lambda: bool(post.lines(ReportDeferred)))

    assert play(act).lines(ReportDeferred)[0]["reply"] == "internal error"


def test_it_waits_for_word_that_reports_were_stored() -> None:
    async def act(post: Post) -> None:
        async def store_and_tell() -> None:
            if not post.stored:
                await post.store(SENDER)
                post.reports.wake()

        post.world.on_pause = store_and_tell
        await post.go_on_until(lambda: bool(post.lines(ReportSent)))
        assert post.world.now == NOW

    assert play(act).world.pauses[0] == LONGEST_PAUSE


@pytest.mark.parametrize(("offer", "event"), [(("SMTPUTF8",), ReportSent), ((), ReportDropped)])
def test_a_utf_8_reverse_path_is_reached_where_the_way_allows_it(
    offer: tuple[str, ...], event: type[Event]
) -> None:
    async def act(post: Post) -> None:
        domain = post.world.directory.now.domains["b.example"]
        await post.world.hold_asking(domain, Envelope("s\u00f6nder@a.example", (ANNA,)))
        paths, content = (ANNA,), "To: s\u00f6nder@a.example\r\n\r\n".encode()
        made = NewReport(
            1,
            domain.id,
            ReportAction.FAILED,
            paths,
            "s\u00f6nder@a.example",
            content,
            NOW,
            True,
            True,
        )
        await post.world.store.queue.bounce([MessageBounce(1, paths, made)], audit())
        await post.go_on_until(lambda: post.count(ReportSent, ReportDropped) == 1)

    post = play(act, ScriptedPrimary(offer=("8BITMIME", *offer)))
    assert post.count(event) == 1
    mails = [command for command in post.host.commands if command.startswith("MAIL")]
    assert mails == (["MAIL FROM:<> BODY=8BITMIME SMTPUTF8"] if offer else [])


def test_a_defect_ends_neither_the_server_nor_the_reports() -> None:
    async def act(post: Post) -> None:
        late = post.world.store.reports.late_messages
        defects = [ValueError("a defect")]

        async def stumble(*arguments: Any) -> Any:
            if defects:
                raise defects.pop()
            return await late(*arguments)

        post.world.intercept("late_messages", stumble)
        post.world.log.takes_defects = True
        await post.store(SENDER)
        await post.go_on_until(lambda: bool(post.lines(ReportSent)))
        assert post.count(InternalError) == 1

    assert len(play(act).host.taken) == 1


# Delay


def asking(notify: Notify, reverse_path: str = SENDER) -> Envelope:
    return Envelope(
        reverse_path, (ANNA,), dsn=DsnRequest(recipients={ANNA: RecipientRequest(notify)})
    )


def test_a_sender_that_asked_hears_once_that_mail_waits() -> None:
    async def act(post: Post) -> None:
        domain = post.world.directory.now.domains["b.example"]
        for envelope in (
            asking(Notify.DELAY),
            asking(Notify.FAILURE),
            Envelope(SENDER, (ANNA,)),
            asking(Notify.DELAY, ""),
        ):
            await post.world.hold_asking(domain, envelope)
        await post.go_on_until(lambda: post.world.now > NOW + 3 * 3600)

    post = play(act, delay_after=3600.0)
    [line] = post.lines(ReportMade)
    assert (line["message"], line["action"]) == ("1", "delayed")
    [taken] = post.host.taken
    assert b"Action: delayed\r\nStatus: 4.0.0\r\n" in taken.content
    assert asyncio.run(post.world.waiting()) == [1, 2, 3, 4]


@pytest.mark.parametrize("has_details", [True, False])
def test_a_report_of_delay_quotes_the_primary_only_where_the_account_wants_it(
    has_details: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def said(_: ReportSender, _number: int) -> dict[str, str]:
        return {ANNA: "450 4.2.1 primary.internal is busy"}

    async def act(post: Post) -> None:
        world = post.world
        await world.store.records.put_account(
            Account("alpha", NOW, report_details=has_details), audit()
        )
        await world.directory.refresh()
        await world.hold_asking(world.directory.now.domains["b.example"], asking(Notify.DELAY))
        await post.go_on_until(lambda: bool(post.lines(ReportSent)))

    monkeypatch.setattr(ReportSender, "_words", said)
    [taken] = play(act, delay_after=3600.0).host.taken
    assert (b"primary.internal" in taken.content) is has_details


def test_no_word_of_delay_where_the_operator_wants_none() -> None:
    async def act(post: Post) -> None:
        await post.world.hold_asking(
            post.world.directory.now.domains["b.example"], asking(Notify.DELAY)
        )
        await post.go_on_until(lambda: post.world.now > NOW + 1e6)

    assert not play(act, delay_after=0).lines(ReportMade)


def test_a_flood_of_successes_does_not_delay_a_failure() -> None:
    """A stranger asked for a hundred. A failure stored meanwhile is sent within two seconds."""
    gone: list[tuple[str, float]] = []

    async def act(post: Post) -> None:
        await store_successes(post, 100)

        def note(event: Event) -> None:
            if isinstance(event, ReportSent):
                gone.append((event.action, post.world.monotonic))

        post.world.log.on_event = note
        stored_at: list[float] = []

        async def bounce() -> None:
            if len(gone) >= 30 and not stored_at:
                stored_at.append(post.world.monotonic)
                await post.store("customer@a.example")
                post.reports.wake()

        post.world.on_pause = bounce
        await post.go_on_until(lambda: any(action == "failed" for action, _ in gone))
        assert gone[-1][1] - stored_at[0] < 2.0

    play(act, per_minute=60)
    assert len(gone) == 31


def test_hosts_that_say_nothing_delay_no_other_host() -> None:
    """A stranger made as many failures as there are lanes; his hosts accept and are silent."""

    async def act(post: Post) -> None:
        accepted = asyncio.Semaphore(0)

        silent_ends: list[asyncio.StreamWriter] = []

        def say_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            silent_ends.append(writer)
            accepted.release()

        silent = await asyncio.start_server(say_nothing, "127.0.0.2", post.host.port)
        post.world.names.table["mx.evil.example"] = ["127.0.0.2"]
        for number in range(LANES):
            post.world.names.mx[f"e{number}.evil.example"] = [MxRecord(10, "mx.evil.example")]
        await post.store(*(f"s@e{number}.evil.example" for number in range(LANES)))
        running = asyncio.ensure_future(post.reports.run())
        for _ in range(ACCOUNT_LANES):
            await accepted.acquire()
        await post.store_for("beta", "customer@a.example")
        post.reports.wake()
        await until(lambda: running.done() or bool(post.lines(ReportSent)))
        assert [line["domain"] for line in post.lines(ReportSent)] == ["a.example"]
        running.cancel()
        await asyncio.wait([running])
        assert accepted.locked(), "the account has no more than its share"
        for end in silent_ends:
            end.close()
            await end.wait_closed()
        silent.close()
        await silent.wait_closed()

    play(act)


def test_reports_of_success_above_the_limit_are_dropped_and_no_others() -> None:
    async def act(post: Post) -> None:
        await post.store(*(f"customer{number}@a.example" for number in range(8)))
        await store_successes(post, 20)
        await post.go_on_until(lambda: post.count(ReportSent) == 13)
        assert await post.world.store.reports.report_backlog() == Backlog()
        assert post.lines(SuccessReportsDropped) == [{"count": 15, "limit": 5}]
        sent = Counter(line["action"] for line in post.lines(ReportSent))
        assert sent == {"failed": 8, "relayed": 5}

    play(act, successes_limit=5)


def test_a_great_surplus_is_dropped_in_pieces() -> None:
    async def act(post: Post) -> None:
        await store_successes(post, 7)
        await post.go_on_until(lambda: post.count(SuccessReportsDropped) == 3)
        assert [line["count"] for line in post.lines(SuccessReportsDropped)] == [3, 3, 1]
        assert await post.world.store.reports.report_backlog() == Backlog()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report_sender, "DROPPED_AT_ONCE", 3)
        play(act, successes_limit=0)


async def store_successes(post: Post, count: int) -> None:
    """Have a stranger's reports of success wait."""
    domain = post.world.directory.now.domains["b.example"]
    for _ in range(count):
        await post.world.hold_asking(domain, Envelope(SENDER, (ANNA,)))
        number = post.world.held
        made = NewReport(
            number,
            domain.id,
            ReportAction.RELAYED,
            (ANNA,),
            SENDER,
            b"Subject: x\r\n\r\n",
            post.world.now,
        )
        assert await post.world.store.queue.bounce([MessageBounce(number, (ANNA,), made)], audit())
