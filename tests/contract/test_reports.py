"""Reports: stored with their cause or not at all, made once, and kept until they are done."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from restante.mail.delivery_report import NewReport, Report, ReportAction
from restante.mail.dsn_request import DsnRequest, Notify, RecipientRequest, Ret
from restante.mail.envelope import Envelope
from restante.mail.message import ContentFile, NewMessage
from restante.mail.sealed_size import REPORT_EXTRA
from restante.queue.fair_order import DueReport, target_of
from restante.queue.recipient_status import (
    MessageOutcome,
    RecipientMove,
    RecipientOutcome,
    RecipientStatus,
)
from restante.queue.report_lanes import LaneUse, ReportLanes, lane_kind
from restante.queue.sending_outcome import Backlog, SendingOutcome
from restante.store.figure_store import NO_USAGE, DomainUsage
from restante.store.handover_store import Drain
from restante.store.interface import Store
from restante.store.postgres import due_reading
from restante.store.queue_store import MessageBounce, QueueFilter
from restante.store.report_store import ReportFilter, WaitingReport
from restante.store.sealing.sealed_store import SealedStore
from restante.store.sqlite import SqliteStore, report_reading
from restante.store.store_errors import LeaseLost, StoreError
from tests.contract.conftest import WITH_SEALED
from tests.contract.making import (
    ANNA,
    BERT,
    CONTENT,
    NOTED,
    account,
    content,
    delivered,
    domain,
    hold,
    hosted,
    message,
    opened,
    refused,
    report,
    spooled,
    taken_over,
    waiting,
)

LATER = 1e12


@pytest.fixture(params=WITH_SEALED)
def implementation(request: pytest.FixtureRequest) -> str:
    """Which store: sealed ones too."""
    return str(request.param)


async def drained(store: Store, *to: str) -> Drain:
    domain_id = await hosted(store)
    await store.reception.hold([message(1, domain_id, *to)])
    return await opened(store, domain_id, 0.0, 60.0)


async def reports(store: Store) -> list[Report]:
    return await store.reports.due_reports(LATER, 100, 1 << 20)


def bounced(number: int, *paths: str) -> MessageOutcome:
    return MessageOutcome(
        number,
        tuple(
            RecipientOutcome(path, RecipientMove.BOUNCED, "550 5.1.1 no")
            for path in paths or (ANNA,)
        ),
    )


# --- together with outcomes


async def test_a_report_is_stored_with_the_outcome_that_it_tells_of(store: Store) -> None:
    drain = await drained(store)
    made = NewReport(
        1,
        drain.domain_id,
        ReportAction.RELAYED,
        (ANNA,),
        "bob@example.org",
        b"\xff\r\n",
        50.0,
        True,
        True,
    )
    await store.handover.settle(drain, [delivered(1)], [made])
    assert await reports(store) == [
        Report(
            1,
            1,
            drain.domain_id,
            ReportAction.RELAYED,
            "bob@example.org",
            b"\xff\r\n",
            50.0,
            True,
            True,
        )
    ]
    assert await store.queue.message(1) is None


async def test_an_outcome_settled_again_is_not_told_again(store: Store) -> None:
    """A drain that does not know whether its batch was settled settles it again."""
    drain = await drained(store, ANNA, BERT)
    for _ in range(2):
        await store.handover.settle(
            drain, [delivered(1, ANNA)], [report(1, drain.domain_id, action=ReportAction.RELAYED)]
        )
    for _ in range(2):
        await store.handover.settle(
            drain,
            [delivered(1, BERT)],
            [report(1, drain.domain_id, BERT, action=ReportAction.RELAYED)],
        )
    assert len(await reports(store)) == 2


async def test_nothing_is_told_of_what_was_deleted_meanwhile(store: Store) -> None:
    drain = await drained(store)
    await store.queue.delete([1], NOTED)
    await store.handover.settle(drain, [bounced(1)], [report(1, drain.domain_id)])
    assert await reports(store) == []


async def test_a_drain_that_was_taken_over_reports_nothing(store: Store) -> None:
    earlier = await drained(store)
    await taken_over(store, earlier)
    with pytest.raises(LeaseLost):
        await store.handover.settle(earlier, [delivered(1)], [report(1, earlier.domain_id)])
    assert await reports(store) == []


async def test_nothing_is_told_of_another_domains_message(store: Store) -> None:
    beta = await hosted(store, "beta.example")
    await hold(store, beta, 1)
    drain = await opened(store, await hosted(store, "alpha.example"), 0.0, 60.0)
    await store.handover.settle(drain, [bounced(1)], [report(1, beta)])
    assert await reports(store) == []


async def test_a_recipient_bounced_is_gone(store: Store) -> None:
    drain = await drained(store, ANNA, BERT)
    await store.handover.settle(drain, [bounced(1, ANNA)], [report(1, drain.domain_id)])
    assert await waiting(store, 1) == (BERT,)
    [listed] = await store.queue.list_queue(QueueFilter())
    assert [(one.forward_path, one.status, one.reply) for one in listed.recipients] == [
        (BERT, RecipientStatus.HELD, "")
    ]
    await store.handover.settle(drain, [bounced(1, BERT)], [report(1, drain.domain_id, BERT)])
    assert await store.queue.message(1) is None
    assert store.figures.usage(drain.domain_id) == NO_USAGE


# --- by hand


async def test_messages_are_bounced_whatever_their_state_with_the_reports_on_them(
    store: Store, directory: Path
) -> None:
    drain = await drained(store, ANNA, BERT)
    await store.handover.settle(drain, [refused(1, BERT)])
    file = await spooled(store, b"large")
    await store.reception.hold([message(2, drain.domain_id, file=file)])
    bounces = [
        MessageBounce(1, (BERT, ANNA), report(1, drain.domain_id, ANNA, BERT)),
        MessageBounce(2, (ANNA,), None),
    ]
    assert await store.queue.bounce(bounces, NOTED) == [1, 2]
    assert store.figures.usage(drain.domain_id) == NO_USAGE
    assert [one.about for one in await reports(store)] == [1]
    assert (await store.audit.audit())[0] == NOTED
    assert await is_removed(store, file, directory)


async def is_removed(store: Store, file: ContentFile, directory: Path) -> bool:
    """Close a store, which finishes its work, and tell whether a file was removed."""
    if not isinstance(store, SqliteStore):
        with pytest.raises(StoreError):
            await content(store.content.read_file(file))
        return True
    path = directory / "content" / file.name
    assert path.parent.is_dir()
    await store.close()
    return not path.exists()


@pytest.mark.parametrize("paths", [(), (ANNA, BERT, "carl@alpha.example")])
async def test_a_message_that_has_changed_meanwhile_stays(
    store: Store, paths: tuple[str, ...]
) -> None:
    drain = await drained(store, ANNA, BERT)
    assert (
        await store.queue.bounce(
            [MessageBounce(1, paths, report(1, drain.domain_id, *paths))], NOTED
        )
        == []
    )
    assert await waiting(store, 1) == (ANNA, BERT)
    assert await reports(store) == []


@pytest.mark.parametrize("gone", [ANNA, BERT])
async def test_some_recipients_are_bounced_and_the_others_stay(store: Store, gone: str) -> None:
    """Anna is held and Bert was refused."""
    drain = await drained(store, ANNA, BERT)
    await store.handover.settle(drain, [refused(1, BERT)])
    assert await store.queue.bounce(
        [MessageBounce(1, (gone,), report(1, drain.domain_id, gone))], NOTED
    ) == [1]
    [listed] = await store.queue.list_queue(QueueFilter())
    left = {ANNA: (BERT, RecipientStatus.REFUSED), BERT: (ANNA, RecipientStatus.HELD)}[gone]
    assert [(one.forward_path, one.status) for one in listed.recipients] == [left]
    assert store.figures.usage(drain.domain_id) == DomainUsage(
        1, len(CONTENT), refused=int(gone == ANNA)
    )
    assert len(await reports(store)) == 1


async def test_a_message_that_is_gone_is_not_bounced(store: Store) -> None:
    drain = await drained(store)
    assert (
        await store.queue.bounce([MessageBounce(9, (ANNA,), report(9, drain.domain_id))], NOTED)
        == []
    )
    assert await reports(store) == []


async def test_a_refused_message_that_is_bounced_counts_no_more(store: Store) -> None:
    drain = await drained(store)
    await store.reception.hold([message(2, drain.domain_id)])
    await store.handover.settle(drain, [refused(1)])
    await store.queue.bounce([MessageBounce(1, (ANNA,), report(1, drain.domain_id))], NOTED)
    assert store.figures.usage(drain.domain_id) == DomainUsage(1, len(CONTENT))


# --- on their way


async def stored(store: Store, *due_at: float) -> int:
    domain_id = await hosted(store)
    await hold(store, domain_id, *range(1, len(due_at) + 1))
    made = [
        MessageBounce(n, (ANNA,), report(n, domain_id, made_at=at))
        for n, at in enumerate(due_at, start=1)
    ]
    await store.queue.bounce(made, NOTED)
    return domain_id


async def test_reports_come_when_they_are_due_the_longest_due_first(store: Store) -> None:
    await stored(store, 30.0, 10.0, 20.0, 40.0)
    assert [one.about for one in await store.reports.due_reports(30.0, 100, 1 << 20)] == [2, 3, 1]
    assert [one.about for one in await store.reports.due_reports(30.0, 2, 1 << 20)] == [2, 3]
    assert [one.about for one in await store.reports.due_reports(30.0, 100, 1)] == [2]
    assert await store.reports.due_reports(9.0, 100, 1 << 20) == []
    assert await store.reports.next_report_at() == 10.0


async def test_a_flood_of_due_reports_hides_none_of_another_account(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More are due, and for longer, than are looked at together."""
    for reading in (report_reading, due_reading):
        monkeypatch.setattr(reading, "_DUE_LOOKED_AT", 8)
    domain_id = await stored(store, *map(float, range(20)))
    await store.records.put_account(account("beta"), NOTED)
    other = (await store.records.put_domain(domain("beta.example", "beta"), NOTED)).id
    await hold(store, other, 30)
    await hold(store, domain_id, 31)
    late = [
        replace(report(30, other, made_at=50.0), reverse_path="s@b.example"),
        replace(report(31, domain_id, made_at=60.0), reverse_path="s@c.example"),
    ]
    await store.queue.bounce([MessageBounce(one.about, (ANNA,), one) for one in late], NOTED)
    due = await store.reports.due_reports(LATER, 3, 1 << 20)
    assert [one.about for one in due] == [1, 30, 31]


async def test_only_reports_with_a_free_lane_are_read(store: Store) -> None:
    await stored(store, 10.0, 20.0)
    first, second = await reports(store)
    await store.reports.settle_reports([SendingOutcome(first.number, 30.0, "450 later")])
    lanes = ReportLanes()
    target = target_of(first.reverse_path)
    lanes.take(LaneUse(lane_kind(ReportAction.FAILED, 0), "alpha", target))
    due = await store.reports.due_reports(LATER, 9, 1 << 20, lanes.occupied())
    assert [one.number for one in due] == [first.number], "the other has had no attempt"
    lanes.take(LaneUse(lane_kind(ReportAction.FAILED, 1), "alpha", target))
    assert await store.reports.due_reports(LATER, 9, 1 << 20, lanes.occupied()) == []
    assert second.failures == 0


async def test_a_report_that_is_put_off_waits_and_knows_why(store: Store) -> None:
    await stored(store, 10.0, 20.0)
    first, second = await reports(store)
    await store.reports.settle_reports(
        [SendingOutcome(first.number, 70.0, "450 \udcff later"), SendingOutcome(99, 1.0, "")]
    )
    assert await store.reports.due_reports(69.0, 100, 1 << 20) == [second]
    again = (await reports(store))[1]
    assert (again.number, again.failures, again.reply[:4]) == (first.number, 1, "450 ")
    assert await store.reports.next_report_at() == 20.0


async def test_reports_that_wait_for_too_long_are_hastened_and_no_others(store: Store) -> None:
    await stored(store, 10.0, 20.0, 30.0)
    await store.reports.hasten_reports(5.0, 20.0)
    assert [one.about for one in await store.reports.due_reports(9.0, 100, 1 << 20)] == [3]
    assert [one.failures for one in await reports(store)] == [0, 0, 0]
    assert await store.reports.next_report_at() == 5.0


async def test_a_report_that_is_done_with_is_gone_and_its_number_too(store: Store) -> None:
    domain_id = await stored(store, 10.0)
    [first] = await reports(store)
    await store.reports.settle_reports([SendingOutcome(first.number), SendingOutcome(first.number)])
    assert await reports(store) == []
    assert await store.reports.next_report_at() is None
    await store.reception.hold([message(9, domain_id)])
    await store.queue.bounce([MessageBounce(9, (ANNA,), report(9, domain_id))], NOTED)
    assert [one.number for one in await reports(store)] == [first.number + 1]


async def test_how_many_reports_wait_is_known_and_since_when(store: Store) -> None:
    """However they come and go. The oldest is the first one made, even if it was deferred often."""
    assert await store.reports.report_backlog() == Backlog()
    await stored(store, 30.0, 40.0, 50.0, 60.0)
    assert await store.reports.report_backlog() == Backlog(4, 30.0)
    await store.reports.settle_reports(
        [SendingOutcome(1, 99.0, "450 later"), SendingOutcome(2), SendingOutcome(2)]
    )
    assert await store.reports.report_backlog() == Backlog(3, 30.0)
    await store.reports.drop_reports([1, 2, 9], NOTED)
    assert await store.reports.report_backlog() == Backlog(2, 50.0)
    await store.reports.drop_reports([3, 4], NOTED)
    assert await store.reports.report_backlog() == Backlog()


async def test_reports_outlive_the_domain_that_they_are_about(store: Store) -> None:
    domain_id = await stored(store, 10.0)
    await store.records.remove_domain(domain_id, NOTED)
    assert len(await reports(store)) == 1


# --- requests for reports, and word of delay


def asked(
    number: int, domain_id: int, notify: Notify | None, reverse_path: str = "bob@example.org"
) -> NewMessage:
    dsn = DsnRequest(
        Ret.FULL, "QQ+2B314", {ANNA: RecipientRequest(notify, "rfc822;Anna@alpha.example")}
    )
    return NewMessage(
        number, domain_id, Envelope(reverse_path, (ANNA, BERT), dsn=dsn), float(number), CONTENT
    )


async def test_a_request_for_reports_is_held(store: Store) -> None:
    domain_id = await hosted(store)
    new = asked(1, domain_id, Notify.SUCCESS | Notify.DELAY)
    suspect = NewMessage(
        2, domain_id, Envelope("bob@example.org", (ANNA,), is_suspect=True), 2.0, CONTENT
    )
    await store.reception.hold([new, suspect])
    first, second = await store.handover.held(domain_id, 0, 10, 1 << 20)
    assert (first.envelope, second.envelope) == (new.envelope, suspect.envelope)


async def test_mail_whose_sender_wants_word_of_delay_is_found_once_it_is_late(store: Store) -> None:
    domain_id = await hosted(store)
    await store.reception.hold(
        [
            asked(1, domain_id, Notify.DELAY),
            asked(2, domain_id, None),
            asked(3, domain_id, Notify.NEVER),
            asked(4, domain_id, Notify.DELAY, reverse_path=""),
            message(5, domain_id),
            asked(6, domain_id, Notify.DELAY | Notify.FAILURE),
            asked(7, domain_id, Notify.DELAY),
        ]
    )
    assert [one.number for one in await store.reports.late_messages(7.0, 10)] == [1, 6]
    assert [one.number for one in await store.reports.late_messages(100.0, 2)] == [1, 6]


async def test_delay_is_told_once(store: Store) -> None:
    domain_id = await hosted(store)
    await store.reception.hold(
        [asked(1, domain_id, Notify.DELAY), asked(2, domain_id, Notify.DELAY)]
    )
    late = report(1, domain_id, action=ReportAction.DELAYED)
    await store.reports.tell_of_delay([1, 9], [late, report(9, domain_id)])
    await store.reports.tell_of_delay([1], [late])
    assert [one.about for one in await reports(store)] == [1]
    assert [one.number for one in await store.reports.late_messages(100.0, 10)] == [2]
    held, other = await store.handover.held(domain_id, 0, 10, 1 << 20)
    assert held.envelope == asked(1, domain_id, Notify.DELAY).envelope
    assert (held.is_delay_told, other.is_delay_told) == (True, False)


async def test_delay_that_was_told_elsewhere_is_not_told_here(store: Store) -> None:
    domain_id = await hosted(store)
    told = asked(1, domain_id, Notify.DELAY)._replace(is_delay_told=True)
    await store.reception.hold([told, asked(2, domain_id, Notify.DELAY)])
    assert [one.number for one in await store.reports.late_messages(100.0, 10)] == [2]
    await store.reports.tell_of_delay([1], [report(1, domain_id, action=ReportAction.DELAYED)])
    assert await reports(store) == []
    assert [one.is_delay_told for one in await store.handover.held(domain_id, 0, 10, 1 << 20)] == [
        True,
        False,
    ]
    drain = await opened(store, domain_id, 0.0, 60.0)
    await store.handover.settle(drain, [refused(1, ANNA, BERT)])
    found = await store.queue.message(1)
    assert found
    assert found.is_delay_told


async def test_mail_that_was_refused_is_not_late(store: Store) -> None:
    domain_id = await hosted(store)
    await store.reception.hold([asked(1, domain_id, Notify.DELAY)])
    drain = await opened(store, domain_id, 0.0, 60.0)
    await store.handover.settle(drain, [refused(1, ANNA, BERT)])
    assert await store.reports.late_messages(100.0, 10) == []
    await store.queue.release_refused([1], NOTED)
    assert [one.number for one in await store.reports.late_messages(100.0, 10)] == [1]


# --- sealed


async def keep_sealed(store: Store, *numbers: int) -> None:
    """Have reports stored sealed, each on the message of its number."""
    domain_id = await hosted(store)
    await hold(store, domain_id, *numbers)
    for number in numbers:
        made = report(number, domain_id)
        if not isinstance(store, SealedStore):
            made = replace(made, content=bytes(REPORT_EXTRA) + made.content, is_sealed=True)
        await store.queue.bounce([MessageBounce(number, (ANNA,), made)], NOTED)


async def test_sealed_reports_are_walked_by_number_and_no_others(store: Store) -> None:
    assert await store.reports.sealed_reports(0, 10) == []
    await keep_sealed(store, 1, 2, 3)
    assert [one.number for one in await store.reports.sealed_reports(0, 2)] == [1, 2]
    [third] = await store.reports.sealed_reports(2, 2)
    assert (third.about, third.is_sealed) == (3, True)
    assert await store.reports.sealed_reports(3, 2) == []
    sizes = [one.size for one in await store.reports.list_reports(ReportFilter())]
    assert sizes == [len(third.content) - REPORT_EXTRA] * 3


async def test_a_content_is_replaced_only_if_it_is_as_given(store: Store) -> None:
    assert await store.reports.replace_report_contents({}) == 0
    await keep_sealed(store, 1, 2)
    first, second = [one.content for one in await store.reports.sealed_reports(0, 10)]
    again = {1: (first, b"sealed anew"), 2: (b"wrong", b"sealed anew"), 9: (first, b"sealed anew")}
    assert await store.reports.replace_report_contents(again) == 1
    found = [one.content for one in await store.reports.sealed_reports(0, 10)]
    assert found == [b"sealed anew", second]


async def test_plain_reports_are_walked_by_number_until_they_are_sealed(store: Store) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, 1, 2)
    for number in (1, 2):
        told = MessageBounce(number, (ANNA,), report(number, domain_id))
        await store.queue.bounce([told], NOTED)
    plain = await store.reports.plain_reports(0, 10)
    assert [one.about for one in plain] == ([] if isinstance(store, SealedStore) else [1, 2])
    assert await store.reports.plain_reports(0, 1) == plain[:1]
    assert await store.reports.plain_reports(1, 10) == plain[1:]
    sealed = {one.number: (one.content, b"sealed") for one in plain}
    assert await store.reports.replace_report_contents(sealed) == len(plain)
    assert await store.reports.plain_reports(0, 10) == []
    assert [one.about for one in await store.reports.sealed_reports(0, 10)] == [1, 2]


# --- in the operator's hands


async def test_reports_that_wait_are_listed_shown_and_dropped(store: Store) -> None:
    alpha, beta = await hosted(store), await hosted(store, "beta.example")
    await hold(store, alpha, 1, 2)
    await hold(store, beta, 3)
    made = [
        report(1, alpha),
        report(2, alpha, made_at=60.0),
        replace(report(3, beta), reverse_path="Carl@example.net"),
    ]
    for one in made:
        await store.queue.bounce([MessageBounce(one.about, (ANNA,), one)], NOTED)
    await store.reports.settle_reports([SendingOutcome(1, 99.0, "450 later")])
    listed = await store.reports.list_reports(ReportFilter())
    assert listed == [
        WaitingReport(
            1,
            1,
            alpha,
            ReportAction.FAILED,
            "bob@example.org",
            50.0,
            99.0,
            1,
            "450 later",
            len(made[0].content),
        ),
        WaitingReport(
            2,
            2,
            alpha,
            ReportAction.FAILED,
            "bob@example.org",
            60.0,
            60.0,
            0,
            "",
            len(made[1].content),
        ),
        WaitingReport(
            3,
            3,
            beta,
            ReportAction.FAILED,
            "Carl@example.net",
            50.0,
            50.0,
            0,
            "",
            len(made[2].content),
        ),
    ]

    async def numbers(**selection: Any) -> list[int]:
        return [one.number for one in await store.reports.list_reports(ReportFilter(**selection))]

    assert await numbers(domain_ids=(alpha,)) == [1, 2]
    assert await numbers(domain_ids=(beta, alpha)) == [1, 2, 3]
    assert await numbers(domain_ids=()) == []
    assert await numbers(domain_ids=(beta,), numbers=(1, 3)) == [3]
    assert await numbers(reverse_path="carl@*") == [3]
    assert await numbers(numbers=(3, 1, 7)) == [1, 3]
    assert await numbers(after=1, limit=1) == [2]
    second = await store.reports.report(2)
    assert second is not None
    assert second.content == made[1].content
    assert await store.reports.drop_reports([2, 7], replace(NOTED, subject="two")) == [2]
    assert await numbers() == [1, 3]
    assert await store.reports.report(2) is None
    assert [one.subject for one in await store.audit.audit(limit=1)] == ["two"]
    await store.reports.settle_reports([SendingOutcome(2, 99.0, "450 later")])  # it was on its way
    assert await numbers() == [1, 3]


async def test_failures_leave_first_and_each_domain_has_its_turn(store: Store) -> None:
    drain = await drained(store)
    told = [
        (1, ReportAction.RELAYED),
        (1, ReportAction.RELAYED),
        (1, ReportAction.DELAYED),
        (1, ReportAction.FAILED),
    ]
    made = [
        replace(
            report(about, drain.domain_id, action=action, made_at=50.0 + place),
            reverse_path=f"s@{place}.example",
        )
        for place, (about, action) in enumerate(told)
    ]
    await store.handover.settle(drain, [delivered(1)], made)
    assert [one.action for one in await reports(store)] == [
        ReportAction.FAILED,
        ReportAction.DELAYED,
        ReportAction.RELAYED,
        ReportAction.RELAYED,
    ]
    assert [one.action for one in await store.reports.due_reports(LATER, 1, 1 << 20)] == [
        ReportAction.FAILED
    ]


async def test_reports_of_success_that_wait_are_known_with_their_shares(store: Store) -> None:
    """Due or not, whatever else waits, and whether their domain is still there."""
    drain = await drained(store)
    other = await hosted(store, "beta.example")
    made = [
        replace(report(1, domain_id, action=action), reverse_path=path)
        for domain_id, action, path in (
            (other, ReportAction.RELAYED, "s@B.example"),
            (drain.domain_id, ReportAction.FAILED, "s@a.example"),
            (drain.domain_id, ReportAction.RELAYED, "s@a.example"),
            (drain.domain_id, ReportAction.DELAYED, "s@a.example"),
            (99, ReportAction.RELAYED, "s@c.example"),
        )
    ]
    await store.handover.settle(drain, [delivered(1)], made)
    await store.reports.settle_reports([SendingOutcome(3, LATER * 2, "450 later")])
    assert await store.reports.success_reports() == [
        DueReport(1, ReportAction.RELAYED, "alpha", "b.example"),
        DueReport(3, ReportAction.RELAYED, "alpha", "a.example"),
        DueReport(5, ReportAction.RELAYED, "", "c.example"),
    ]
