"""SQLite agrees with memory in any sequence of calls, and after it is reopened or crashes.

A crash leaves the files of a process that ends in the middle of a change. They are copied while a
transaction is under way that has written to the log and not committed. The log's index is left out,
as after a power cut.
"""

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from restante.mail.delivery_report import NewReport, ReportAction
from restante.mail.dsn_request import DsnRequest, Notify, RecipientRequest
from restante.mail.message import HeldMessage, NewMessage
from restante.queue.recipient_status import (
    MessageOutcome,
    RecipientMove,
    RecipientOutcome,
    RecipientStatus,
)
from restante.queue.sending_outcome import SendingOutcome
from restante.store.handover_store import Drain
from restante.store.interface import Store
from restante.store.memory import MemoryStore
from restante.store.queue_store import MessageBounce, QueueFilter
from restante.store.sqlite import SqliteStore, mail_changes, open_sqlite, writer
from restante.store.sqlite.write_transaction import WriteTransaction
from restante.store.store_errors import Conflict, LeaseLost
from restante.tenancy.notice import (
    Channel,
    ChannelTransport,
    NewNotice,
    NoticeFacts,
    NoticeKind,
    QuietTopic,
)
from tests.contract.making import (
    ANNA,
    BERT,
    CARL,
    NOTED,
    account,
    content,
    domain,
    last_number,
    message,
    spooled,
)
from tests.store.damage_report import DamageReport

PATHS = [ANNA, BERT, CARL]
NAMES = ["alpha.example", "beta.example"]
DOMAIN_IDS = st.sampled_from([1, 1, 2, 3])  # the last is never there, or seldom
MOVES = st.sampled_from(
    [
        RecipientMove.DELIVERED,
        RecipientMove.DELIVERED,
        RecipientMove.DEFERRED,
        RecipientMove.REFUSED,
        RecipientMove.UNCERTAIN,
        RecipientMove.BOUNCED,
    ]
)
PARKED = [RecipientStatus.REFUSED, RecipientStatus.UNCERTAIN, RecipientStatus.DAMAGED]
NOTIFIES = st.sampled_from([None, None, Notify.DELAY, Notify.SUCCESS | Notify.FAILURE])

RECIPIENT_OUTCOMES = st.builds(
    RecipientOutcome, st.sampled_from(PATHS), MOVES, st.sampled_from(["", "450 later", "550"])
)
OUTCOMES = st.lists(RECIPIENT_OUTCOMES, max_size=3, unique_by=lambda one: one.forward_path).map(
    tuple
)
SELECTIONS = st.builds(
    QueueFilter,
    domain_ids=st.none() | st.lists(DOMAIN_IDS, max_size=2).map(tuple),
    status=st.sampled_from([None, RecipientStatus.HELD, *PARKED]),
    larger_than=st.none() | st.just(60),
    recipient=st.sampled_from([None, "*", "anna@*", "b*"]),
    numbers=st.none() | st.lists(st.integers(1, 30), max_size=6).map(tuple),
    after=st.integers(0, 20),
    limit=st.integers(1, 10),
)


KINDS = frozenset({NoticeKind.MAIL_AFTER_QUIET})
SOME_PATHS = st.lists(st.sampled_from(PATHS), max_size=2)


def asking(new: NewMessage, notify: Notify | None) -> NewMessage:
    """The same message, of whose first recipient something was asked."""
    if notify is None:
        return new
    request = DsnRequest(
        recipients={
            new.envelope.forward_paths[0]: RecipientRequest(notify, "rfc822;a+2Bb@c.example")
        }
    )
    return new._replace(envelope=new.envelope._replace(dsn=request))


def made(about: int, domain_id: int, *paths: str) -> NewReport:
    """A report."""
    return NewReport(
        about,
        domain_id,
        ReportAction.FAILED,
        paths,
        "bob@example.org",
        b"on %d\r\n" % about,
        float(about),
    )


CHECKPOINT_OCTETS = 160 * 1024  # so that the log is reused while the machine runs
LARGE = replace(
    NOTED, reason="x" * 300_000
)  # so that the log gets pages of its change before that is committed
LOG_INDEX = shutil.ignore_patterns("*-shm")


def copy_if_there(source: str, target: str) -> None:
    """Copy a file that may disappear: threads remove the content of settled messages."""
    with suppress(FileNotFoundError):
        shutil.copyfile(source, target)


async def refusals(store: Store, messages: list[NewMessage]) -> dict[int, str]:
    """Hold messages, and return why some are refused."""
    return {
        number: str(reason) for number, reason in (await store.reception.hold(messages)).items()
    }


class Agreement(RuleBasedStateMachine):
    """The same calls on both stores."""

    def __init__(self) -> None:
        super().__init__()
        memory = Path("/dev/shm")
        self.directory = tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None)
        self.place = Path(self.directory.name) / "store"
        self.between, writer.CHECKPOINT_OCTETS = writer.CHECKPOINT_OCTETS, CHECKPOINT_OCTETS
        self.runner = asyncio.Runner()
        self.damage = DamageReport()
        self.memory = MemoryStore()
        self.sqlite = self.runner.run(self.opened())
        self.number = 0
        self.crashes = 0
        self.drains: list[Drain] = []
        self.both(lambda store: store.records.put_account(account(), NOTED))
        self.both(lambda store: store.records.put_account(account("beta"), NOTED))
        self.both(lambda store: store.records.put_domain(domain(NAMES[0]), NOTED))

    async def opened(self) -> SqliteStore:
        return await open_sqlite(self.place, on_damage=self.damage)

    def both(self, call: Callable[[Store], Awaitable[Any]]) -> Any:
        """Call both, and check that they answer alike. LeaseLost and Conflict are answers too."""
        expected, answer = self.answer(self.memory, call), self.answer(self.sqlite, call)
        assert answer == expected
        return expected

    def answer(self, store: Store, call: Callable[[Store], Awaitable[Any]]) -> Any:
        async def awaited() -> Any:
            return await self.with_content(store, await call(store))

        try:
            return self.runner.run(awaited())
        except (Conflict, LeaseLost) as refusal:
            return type(refusal)

    async def with_content(self, store: Store, answer: Any) -> Any:
        """Put in the place of a file's name, which is each store's own, what is in it."""
        if isinstance(answer, list):
            return [await self.with_content(store, one) for one in answer]
        if isinstance(answer, HeldMessage) and answer.file:
            return answer._replace(file=None), await content(store.content.read_file(answer.file))
        return answer

    @rule(
        domain_id=DOMAIN_IDS,
        sizes=st.lists(st.integers(0, 100), max_size=8),
        to=st.permutations(PATHS),
        count=st.integers(1, 3),
        notify=NOTIFIES,
        is_told=st.booleans(),
    )
    def hold(
        self,
        domain_id: int,
        sizes: list[int],
        to: list[str],
        count: int,
        *,
        notify: Notify | None,
        is_told: bool,
    ) -> None:
        plain = [
            message(self.number + place, domain_id, *to[:count], head=b"x" * size)
            for place, size in enumerate(sizes, start=1)
        ]
        messages = [asking(one, notify)._replace(is_delay_told=is_told) for one in plain]
        self.number += len(messages)
        self.both(lambda store: refusals(store, messages))

    @rule(domain_id=DOMAIN_IDS, octets=st.binary(max_size=50), is_for_two=st.booleans())
    def hold_files(self, domain_id: int, octets: bytes, is_for_two: bool) -> None:
        """Content in a file, which may be two messages', each under a name of its own."""
        first = self.number + 1
        self.number += 1 + is_for_two

        async def hold(store: Store) -> dict[int, str]:
            files = [await spooled(store, octets)]
            if is_for_two:
                files.append(await store.reception.duplicate(files[0]))
            return await refusals(
                store,
                [message(first + place, domain_id, file=file) for place, file in enumerate(files)],
            )

        self.both(hold)

    @rule(domain_id=DOMAIN_IDS)
    def open_drain(self, domain_id: int) -> None:
        drain = self.both(lambda store: store.handover.open_drain(domain_id, 1.0, 60.0))
        if isinstance(drain, Drain):
            self.drains.append(drain)

    @precondition(lambda self: self.drains)
    @rule(data=st.data())
    def take_over(self, data: st.DataObject) -> None:
        drain = data.draw(st.sampled_from(self.drains))
        if (taken := self.both(lambda store: store.handover.take_over(drain))) is not None:
            self.drains.append(taken)

    @rule(domain_id=DOMAIN_IDS)
    def ask_stop(self, domain_id: int) -> None:
        self.both(lambda store: store.handover.ask_stop(domain_id, "no more"))

    @precondition(lambda self: self.drains)
    @rule(data=st.data())
    def close_drain(self, data: st.DataObject) -> None:
        drain = data.draw(st.sampled_from(self.drains))
        self.both(lambda store: store.handover.close_drain(drain))

    @precondition(lambda self: self.drains)
    @rule(data=st.data(), left_behind=st.integers(0, 2))
    def finish_drain(self, data: st.DataObject, left_behind: int) -> None:
        drain = data.draw(st.sampled_from(self.drains))
        self.both(lambda store: store.handover.finish_drain(drain, left_behind))

    def some_numbers(self, data: st.DataObject) -> list[int]:
        """Mostly of messages that are there."""
        present = [
            one.number for one in self.both(lambda store: store.queue.list_queue(QueueFilter()))
        ]
        return data.draw(st.lists(st.sampled_from([*present, 999]), max_size=6))

    @precondition(lambda self: self.drains)
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        drain = data.draw(st.sampled_from(self.drains[-3:]))
        outcomes = [
            MessageOutcome(number, data.draw(OUTCOMES)) for number in self.some_numbers(data)
        ]
        reports = [
            made(one.number, drain.domain_id, *data.draw(SOME_PATHS))
            for one in outcomes
            if data.draw(st.booleans())
        ]
        at = data.draw(st.sampled_from([0.0, 8.0, 16.0]))
        self.both(lambda store: store.handover.settle(drain, outcomes, reports, at))

    @rule(
        domain_id=DOMAIN_IDS,
        status=st.sampled_from([RecipientStatus.HELD, RecipientStatus.REFUSED]),
        before=st.sampled_from([5.0, 12.0, 30.0]),
        limit=st.integers(1, 5),
    )
    def expire(self, domain_id: int, status: RecipientStatus, before: float, limit: int) -> None:
        numbers = self.both(lambda store: store.retention.expired(domain_id, status, before, limit))
        self.both(
            lambda store: store.retention.expire(
                domain_id, [*numbers, 1, 2, 999], status, before, NOTED
            )
        )
        self.both(lambda store: store.retention.waiting_since(domain_id, status))

    @rule(domain_id=DOMAIN_IDS, value=st.none() | st.floats(0, 9))
    def keep_mark(self, domain_id: int, value: float | None) -> None:
        self.both(lambda store: store.retention.keep_mark(domain_id, "a kind", value))
        self.both(lambda store: store.retention.marks("a kind"))

    @rule(data=st.data())
    def bounce(self, data: st.DataObject) -> None:
        """Some with the recipients that they have, some with others."""
        listed = {
            one.number: one
            for one in self.both(lambda store: store.queue.list_queue(QueueFilter()))
        }
        bounces = []
        for number in dict.fromkeys(self.some_numbers(data)):
            there = (
                tuple(one.forward_path for one in listed[number].recipients)
                if number in listed
                else ()
            )
            paths = data.draw(st.sampled_from([there, there, (ANNA,)]))
            bounces.append(
                MessageBounce(
                    number, paths, made(number, 1, *paths) if data.draw(st.booleans()) else None
                )
            )
        self.both(lambda store: store.queue.bounce(bounces, NOTED))

    @rule(at=st.integers(1, 9).map(float), beyond=st.integers(1, 9).map(float))
    def hasten_reports(self, at: float, beyond: float) -> None:
        self.both(lambda store: store.reports.hasten_reports(at, beyond))

    @rule(data=st.data(), next_at=st.none() | st.integers(1, 9).map(float))
    def settle_reports(self, data: st.DataObject, next_at: float | None) -> None:
        waiting = self.both(lambda store: store.reports.due_reports(100.0, 5, 1 << 20))
        some = data.draw(
            st.lists(st.sampled_from([*(one.number for one in waiting), 999]), max_size=3)
        )
        self.both(
            lambda store: store.reports.settle_reports(
                [SendingOutcome(number, next_at, "450") for number in some]
            )
        )

    @rule(before=st.integers(1, 40))
    def tell_of_delay(self, before: int) -> None:
        late = self.both(lambda store: store.reports.late_messages(float(before), 3))
        numbers = [(one if isinstance(one, HeldMessage) else one[0]).number for one in late]
        self.both(
            lambda store: store.reports.tell_of_delay(
                numbers, [made(number, 1, ANNA) for number in numbers]
            )
        )

    @rule(account=st.sampled_from(["", "alpha", "gamma"]), name=st.sampled_from(["a", "b"]))
    def put_channel(self, account: str, name: str) -> None:
        channel = Channel(
            0, account, name, ChannelTransport.WEBHOOK, "https://c.example/", b"\0", KINDS, 1.0
        )
        self.both(lambda store: store.records.put_channel(channel, NOTED))

    @rule(
        number=st.integers(1, 4),
        account=st.sampled_from(["", "alpha"]),
        name=st.sampled_from(["a", "b"]),
    )
    def change_channel(self, number: int, account: str, name: str) -> None:
        """Mostly one that is there: its account and name are what it is changed by."""
        present = self.runner.run(self.memory.records.directory()).channels.get(number)
        if present is not None and name == "a":
            account, name = present.account, present.name
        channel = Channel(
            number,
            account,
            name,
            ChannelTransport.WEBHOOK,
            f"https://{name}.example/",
            b"\1",
            KINDS,
            2.0,
        )
        self.both(lambda store: store.records.put_channel(channel, replace(NOTED, at=5.0)))

    @rule(number=st.integers(1, 4))
    def remove_channel(self, number: int) -> None:
        self.both(lambda store: store.records.remove_channel(number, NOTED))

    @rule(to=st.lists(st.integers(1, 4), max_size=4), at=st.integers(1, 9), limit=st.integers(1, 3))
    def keep_notices(self, to: list[int], at: int, limit: int) -> None:
        """A name that is held back under one kind is over under the other."""
        facts = NoticeFacts(
            NoticeKind.TEST, "alpha", f"thing {at}", "text", float(at), {"a": 1, "b": "ü"}
        )
        notices = [NewNotice(number, f"key {at}", facts, at, float(at)) for number in to]
        quiets = [QuietTopic(facts.topic, float(at), at, facts if at % 2 else None)]
        over = [("alpha", NoticeKind.TEST, f"thing {at - 1}")]
        self.both(lambda store: store.notices.keep_notices(notices, quiets, over, limit))

    @rule(at=st.integers(1, 9).map(float), beyond=st.integers(1, 9).map(float))
    def hasten_notices(self, at: float, beyond: float) -> None:
        self.both(lambda store: store.notices.hasten_notices(at, beyond))

    @rule(
        numbers=st.lists(st.integers(1, 20), max_size=3),
        next_at=st.none() | st.integers(1, 9).map(float),
    )
    def settle_notices(self, numbers: list[int], next_at: float | None) -> None:
        self.both(
            lambda store: store.notices.settle_notices(
                [SendingOutcome(number, next_at, "503") for number in numbers]
            )
        )

    @precondition(lambda self: self.drains)
    @rule(count=st.integers(1, 5))
    def hand_over(self, count: int) -> None:
        """The calls of a drain that meets no trouble."""
        drain = self.drains[-1]
        self.both(lambda store: store.handover.held(drain.domain_id, 0, count, 1 << 20))
        window = self.runner.run(self.memory.handover.held(drain.domain_id, 0, count, 1 << 20))
        outcomes = [
            MessageOutcome(
                one.number,
                tuple(
                    RecipientOutcome(path, RecipientMove.DELIVERED)
                    for path in one.envelope.forward_paths
                ),
            )
            for one in window
        ]
        self.both(lambda store: store.handover.settle(drain, outcomes))

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        numbers = self.some_numbers(data)
        self.both(lambda store: store.queue.delete(numbers, NOTED))

    @rule(data=st.data())
    def release_refused(self, data: st.DataObject) -> None:
        numbers = self.some_numbers(data)
        status = data.draw(st.sampled_from([None, *PARKED]))
        self.both(lambda store: store.queue.release_refused(numbers, NOTED, status))

    @rule(name=st.sampled_from(NAMES))
    def put_domain(self, name: str) -> None:
        self.both(lambda store: store.records.put_domain(domain(name), NOTED))

    @rule(name=st.sampled_from(NAMES), of=st.sampled_from(["alpha", "beta"]))
    def give_domain_to(self, name: str, of: str) -> None:
        present = self.runner.run(self.memory.records.directory()).domains.get(name)
        if present is not None:
            self.both(lambda store: store.records.put_domain(replace(present, account=of), NOTED))

    @rule(domain_id=DOMAIN_IDS)
    def remove_domain(self, domain_id: int) -> None:
        self.both(lambda store: store.records.remove_domain(domain_id, NOTED))

    @rule(selection=SELECTIONS)
    def list_queue(self, selection: QueueFilter) -> None:
        self.both(lambda store: store.queue.list_queue(selection))

    @rule(number=st.integers(1, 30))
    def look_at_one(self, number: int) -> None:
        self.both(lambda store: store.queue.message(number))

    @rule()
    def reopen(self) -> None:
        self.runner.run(self.sqlite.close())
        self.sqlite = self.runner.run(self.opened())

    @precondition(lambda self: self.memory.figures.usages())
    @rule()
    def crash(self) -> None:
        """In the middle of removing everything, of which nothing has been promised."""
        self.crashes += 1
        left, self.place = self.place, Path(self.directory.name) / f"after-crash-{self.crashes}"
        present = [
            one.number for one in self.runner.run(self.memory.queue.list_queue(QueueFilter()))
        ]

        def remove_and_crash(transaction: WriteTransaction) -> None:
            transaction.connection.pragma("cache_size", 1)
            mail_changes.delete(transaction, numbers=present, audit=LARGE)
            shutil.copytree(left, self.place, ignore=LOG_INDEX, copy_function=copy_if_there)

        async def run() -> None:
            await self.sqlite.core.writer.submit(
                remove_and_crash
            )  # on its thread, so that nothing else is written
            await self.sqlite.close()

        self.runner.run(run())
        shutil.rmtree(left)
        self.sqlite = self.runner.run(self.opened())
        messages = [
            self.both(lambda store: store.queue.message(number))  # noqa: B023
            for number in present
        ]
        assert len(self.sqlite.core.files.present()) == sum(
            not isinstance(one, HeldMessage) for one in messages
        )  # no orphan is left
        assert self.damage.texts == []

    @invariant()
    def memory_answers_are_the_same(self) -> None:
        assert self.sqlite.figures.usages() == self.memory.figures.usages()
        for name in ("alpha", "beta"):
            assert self.sqlite.figures.usage_of_account(
                name
            ) == self.memory.figures.usage_of_account(name)
        assert last_number(self.sqlite) == last_number(self.memory)

    @invariant()
    def everything_read_is_the_same(self) -> None:
        self.both(lambda store: store.queue.list_queue(QueueFilter()))
        self.both(lambda store: store.figures.set_apart())
        self.both(lambda store: store.figures.oldest())
        assert self.sqlite.handover.open_drains() == self.memory.handover.open_drains()
        self.both(lambda store: store.handover.claimable_drains(self.drains))
        self.both(lambda store: store.handover.asked(self.drains))
        self.both(lambda store: store.reports.due_reports(100.0, 100, 1 << 20))
        self.both(lambda store: store.reports.next_report_at())
        self.both(lambda store: store.reports.report_backlog())
        self.both(lambda store: store.reports.late_messages(100.0, 100))
        self.both(lambda store: store.records.directory())
        self.both(lambda store: store.records.changes_since(0))
        self.both(lambda store: store.notices.first_notices(10))
        self.both(lambda store: store.notices.list_notices(100))
        self.both(lambda store: store.notices.notice_backlog())
        self.both(lambda store: store.notices.quiets())

    def teardown(self) -> None:
        self.runner.run(self.sqlite.close())
        self.runner.close()
        self.directory.cleanup()
        writer.CHECKPOINT_OCTETS = self.between


TestAgreement = Agreement.TestCase
TestAgreement.settings = settings(
    max_examples=40,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
