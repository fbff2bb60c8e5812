"""Responsibility for mail: the clients that get the 250, and those that do not."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from restante.mail.envelope import Envelope
from restante.mail.message import ContentFile, NewMessage
from restante.mail.message_origin import MessageOrigin
from restante.reception.batch_gathering import MOST, BatchGathering
from restante.reception.intake import Intake, IntakeReceipt, ReceivedMail, hold_all
from restante.store.memory import MemoryStore
from restante.store.store_errors import Conflict, OverQuota, StoreError, StoreFull
from restante.tenancy.quota import NO_QUOTA, DomainQuotas, Quota
from tests.contract.making import NOTED, all_held, held_numbers, hosted, spooled
from tests.log_lines import Lines


@dataclass
class Scene:
    """An intake above a store in memory."""

    store: MemoryStore = field(default_factory=MemoryStore)
    told: list[int] = field(default_factory=list)
    quotas: dict[int, DomainQuotas] = field(default_factory=dict)  # by domain id

    async def submit(self, *mails: ReceivedMail) -> list[IntakeReceipt]:
        """Have these held in one batch."""
        intake = Intake(
            self.store.reception,
            Lines(),
            lambda: 7.0,
            hostname="mx2.example.net",
            on_held=self._held,
            quotas_of=lambda domain_ids: {
                key: quotas for key, quotas in self.quotas.items() if key in domain_ids
            },
        )
        running = asyncio.create_task(intake.run())
        receipts = await hold_all(intake, mails)
        intake.close()
        await running
        return receipts

    def _held(self, messages: Sequence[NewMessage]) -> None:
        self.told += [message.domain_id for message in messages]


def mail(*domain_ids: int) -> ReceivedMail:
    paths = tuple(f"b@{domain_id}.example" for domain_id in domain_ids)
    return ReceivedMail(None, Envelope("a@a.example", paths), domain_ids, b"x\r\n", None, print)


async def large_mail(scene: Scene, *domain_ids: int) -> ReceivedMail:
    return replace(mail(*domain_ids), content=b"", file=await spooled(scene.store, b"large"))


def contents(scene: Scene) -> set[str]:
    """Return the names of all files."""
    return set(scene.store.reception._state.files)


def test_a_domain_removed_meanwhile_refuses_its_own_mail_alone() -> None:
    async def main() -> None:
        scene = Scene()
        alpha, beta = await hosted(scene.store), await hosted(scene.store, "beta.example")
        await scene.store.records.remove_domain(beta, NOTED)
        receipts = await scene.submit(mail(alpha), mail(beta), mail(alpha))
        assert [type(one.failure) for one in receipts] == [type(None), Conflict, type(None)]
        assert len(await held_numbers(scene.store, alpha)) == 2
        assert scene.told == [alpha, alpha], "nothing is announced that is not held"

    asyncio.run(main())


def test_a_mail_that_is_held_in_part_is_not_held() -> None:
    """Its sender sends all of it again: a part that was held would come twice."""

    async def main() -> None:
        scene = Scene()
        alpha, beta = await hosted(scene.store), await hosted(scene.store, "beta.example")
        await scene.store.records.remove_domain(beta, NOTED)
        [receipt] = await scene.submit(mail(alpha, beta))
        assert isinstance(receipt.failure, Conflict)
        assert await held_numbers(scene.store, alpha) == []
        assert scene.told == []

    asyncio.run(main())


def test_mail_beyond_a_quota_is_refused_alone() -> None:
    """Another process may have held mail since the quota was looked at."""

    async def main() -> None:
        scene = Scene()
        alpha, beta = await hosted(scene.store), await hosted(scene.store, "beta.example")
        scene.quotas[alpha] = DomainQuotas("alpha.example", Quota(messages=1), "alpha", NO_QUOTA)
        receipts = await scene.submit(mail(alpha), mail(alpha), mail(beta))
        assert [type(one.failure) for one in receipts] == [type(None), OverQuota, type(None)]
        assert scene.told == [alpha, beta]

    asyncio.run(main())


def test_a_failed_batch_is_held_for_nobody() -> None:
    async def main() -> None:
        scene = Scene()
        alpha = await hosted(scene.store)

        async def fail(*_: Any) -> dict[int, StoreError]:
            raise StoreFull("no room")

        scene.store.reception.hold = fail  # type: ignore[method-assign,assignment]
        receipts = await scene.submit(mail(alpha), mail(alpha))
        assert [type(one.failure) for one in receipts] == [StoreFull, StoreFull]
        assert scene.told == []

    asyncio.run(main())


def test_clients_that_come_back_one_by_one_share_the_next_batch() -> None:
    async def main() -> None:
        batches: list[int] = []

        async def hold(messages: Sequence[NewMessage], *_: Any) -> dict[int, StoreError]:
            batches.append(len(messages))
            await asyncio.sleep(MOST)  # a commit of a slow store
            return {}

        async def send_two() -> None:
            for _ in range(2):
                await hold_all(intake, [mail(1)])

        scene = Scene()
        scene.store.reception.hold = hold  # type: ignore[method-assign,assignment]
        intake = Intake(
            scene.store.reception,
            Lines(),
            lambda: 7.0,
            hostname="mx2.example.net",
            gathering=BatchGathering(),
        )
        first = asyncio.create_task(send_two())
        second = asyncio.create_task(hold_all(intake, [mail(1)]))
        await asyncio.sleep(0)
        running = asyncio.create_task(intake.run())
        await second
        await asyncio.sleep(0)  # the first client is here again, alone
        await hold_all(intake, [mail(1)])
        await first
        intake.close()
        await running
        assert batches == [2, 2]

    asyncio.run(main())


def test_no_mail_waits_for_the_copies_of_another() -> None:
    """A copy in an object store can take minutes."""

    async def main() -> None:
        scene = Scene()
        alpha, beta = await hosted(scene.store), await hosted(scene.store, "beta.example")
        may_end, duplicate = asyncio.Event(), scene.store.reception.duplicate

        async def slow(file: ContentFile) -> ContentFile:
            await may_end.wait()
            return await duplicate(file)

        scene.store.reception.duplicate = slow  # type: ignore[method-assign]
        intake = Intake(scene.store.reception, Lines(), lambda: 7.0, hostname="mx2.example.net")
        running = asyncio.create_task(intake.run())
        large = asyncio.create_task(hold_all(intake, [await large_mail(scene, alpha, beta, alpha)]))
        await asyncio.sleep(0)
        async with asyncio.timeout(60):
            await hold_all(intake, [mail(alpha)])
        assert not large.done()
        may_end.set()
        assert [one.failure for one in await large] == [None]
        files = {
            one.file.name
            for domain_id in (alpha, beta)
            for one in await all_held(scene.store, domain_id)
            if one.file
        }
        assert len(files) == 2
        assert files == contents(scene), "one for each domain"
        intake.close()
        await running

    asyncio.run(main())


def test_the_copies_of_a_mail_that_is_refused_go() -> None:
    async def main() -> None:
        scene = Scene()
        alpha, beta = await hosted(scene.store), await hosted(scene.store, "beta.example")
        await scene.store.records.remove_domain(beta, NOTED)
        large = await large_mail(scene, alpha, beta)
        [receipt] = await scene.submit(large)
        assert isinstance(receipt.failure, Conflict)
        assert large.file is not None
        assert contents(scene) == {large.file.name}, "that one is its sender's to discard"

    asyncio.run(main())


def test_a_copy_that_fails_refuses_its_own_mail_alone() -> None:
    async def main() -> None:
        scene = Scene()
        ids = [await hosted(scene.store, f"{name}.example") for name in "abc"]
        duplicate, made = scene.store.reception.duplicate, list[ContentFile]()

        async def fail(file: ContentFile) -> ContentFile:
            if made:
                raise StoreFull("no room")
            made.append(await duplicate(file))
            return made[0]

        scene.store.reception.duplicate = fail  # type: ignore[method-assign]
        large = await large_mail(scene, *ids)
        receipts = await scene.submit(large, mail(ids[0]))
        assert [type(one.failure) for one in receipts] == [StoreFull, type(None)]
        assert large.file is not None
        assert (len(made), contents(scene)) == (1, {large.file.name})

    asyncio.run(main())


def test_the_origin_of_an_import_is_marked_as_a_claim() -> None:
    """A destination that is told clients must not be told one that an importer made up."""

    async def main() -> None:
        scene = Scene()
        domain_id = await hosted(scene.store)
        claimed = MessageOrigin("198.51.100.7", 40000, "h.example")
        [receipt] = await scene.submit(replace(mail(domain_id), imported_origin=claimed))
        assert receipt.failure is None
        [held] = await scene.store.handover.held(domain_id, 0, 1, 1, with_origins=True)
        assert held.origin == claimed._replace(is_imported=True)

    asyncio.run(main())
