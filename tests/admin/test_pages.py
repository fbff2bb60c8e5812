"""Long listings are read from the store by pages, so nobody waits for a whole one."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import Any

import pytest

from restante.admin import channels, held_mail, report_queue, trail
from restante.admin.bounce import bounce_messages
from restante.admin.channel_change import NewChannel
from restante.admin.channels import list_waiting
from restante.admin.held_mail import NamedMessages, QueueSelection, list_queue, name_messages
from restante.admin.report_queue import ReportSelection, list_reports
from restante.admin.trail import list_audit
from restante.queue.recipient_status import RecipientStatus
from restante.store.audit_trail import AuditPage
from restante.tenancy.audit import EVERY_ENTRY
from restante.tenancy.notice import NewNotice, NoticeFacts, NoticeKind
from tests.admin.desk import NOW, Desk, all_of, run
from tests.contract.store_parts import part_with

PAGE = 2
COUNTS = (0, 1, PAGE, PAGE + 1, 2 * PAGE, 2 * PAGE + 1)


@pytest.fixture(autouse=True)
def short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (channels, held_mail, report_queue, trail):
        monkeypatch.setattr(module, "PAGE", PAGE)


def watched(desk: Desk, method: str) -> list[int]:
    """Have a method of the store note how much it returns each time."""
    sizes: list[int] = []
    real: Callable[..., Awaitable[Any]] = getattr(part_with(desk.store, method), method)

    async def noting(*words: Any, **named: Any) -> Any:
        found = await real(*words, **named)
        sizes.append(len(found.entries if isinstance(found, AuditPage) else found))
        return found

    setattr(part_with(desk.store, method), method, noting)
    return sizes


async def with_mail(count: int) -> Desk:
    desk = Desk()
    alpha = await desk.host("alpha.example", "alpha")
    for number in range(1, count + 1):
        await desk.hold(number, alpha, "x@alpha.example", "y@alpha.example")
    return desk


async def sizes_of(pages: AsyncIterator[Iterable[object]]) -> list[int]:
    return [len(list(page)) async for page in pages]


@pytest.mark.parametrize("count", COUNTS)
def test_the_queue(count: int) -> None:
    async def story() -> None:
        desk = await with_mail(count)
        sizes = watched(desk, "list_queue")
        shown = await all_of(list_queue(desk.context, QueueSelection()))
        assert [view.name for view in shown] == [str(number) for number in range(1, count + 1)]
        assert max(sizes) <= PAGE

    run(story())


@pytest.mark.parametrize(
    ("limit", "names"),
    [(1, ["2"]), (2, ["2", "3"]), (3, ["2", "3", "4"]), (9, ["2", "3", "4", "5"])],
)
def test_a_limit_and_a_beginning_are_of_the_whole_listing(limit: int, names: Sequence[str]) -> None:
    async def story() -> None:
        desk = await with_mail(5)
        selection = QueueSelection(after="1", limit=limit)
        assert [view.name for view in await all_of(list_queue(desk.context, selection))] == names
        assert (await name_messages(desk.context, selection)).names == names

    run(story())


def test_names_are_counted_over_all_pages() -> None:
    async def story() -> None:
        desk = await with_mail(3)
        beta = await desk.host("beta.example", "beta")
        await desk.hold(4, beta, "x@beta.example")
        for number in (1, 3):
            await desk.refuse(number, 1, "x@alpha.example", "550 5.1.1 no such user")
        sizes = watched(desk, "list_queue")
        named = await name_messages(desk.context, QueueSelection(recipient="x*"))
        assert named.names == ["1", "2", "3", "4"]
        assert named.domains == ["alpha.example", "beta.example"]
        assert named.shared == 3
        assert named.octets == sum(
            view.size for view in await all_of(list_queue(desk.context, QueueSelection()))
        )
        refused = await name_messages(desk.context, QueueSelection(status=RecipientStatus.REFUSED))
        assert (refused.names, refused.shared) == (["1", "3"], 2)
        assert max(sizes) <= PAGE

    run(story())


@pytest.mark.parametrize("count", COUNTS)
def test_reports(count: int) -> None:
    async def story() -> None:
        desk = await with_mail(count)
        for number in range(1, count + 1):
            await bounce_messages(desk.context, NamedMessages(names=(str(number),), reason="done"))
        sizes = watched(desk, "list_reports")
        shown = await all_of(list_reports(desk.context, ReportSelection()))
        assert [view.number for view in shown] == list(range(1, count + 1))
        assert max(sizes) <= PAGE
        assert len(await all_of(list_reports(desk.context, ReportSelection(limit=3)))) == min(
            3, count
        )

    run(story())


@pytest.mark.parametrize("count", COUNTS)
def test_notices_that_wait(count: int) -> None:
    async def story() -> None:
        desk = Desk()
        await desk.host("alpha.example", "alpha")
        target = NewChannel(name="hook", account="alpha", mail="pager@elsewhere.test")
        await channels.add_channel(desk.context, target)
        [channel] = desk.context.directory.now.channels
        news = NoticeFacts(NoticeKind.PRIMARY_AWAY, "alpha", "x", "away", NOW)
        waiting = [NewNotice(channel, str(number), news, 0, NOW) for number in range(count)]
        await desk.store.notices.keep_notices(waiting, [], [], limit=100)
        sizes = watched(desk, "list_notices")
        for account in (None, "alpha"):
            shown = await all_of(list_waiting(desk.context, account))
            assert [view.id for view in shown] == [str(number) for number in range(count)]
        assert max(sizes) <= PAGE
        assert len(await all_of(list_waiting(desk.context, limit=3))) == min(3, count)

    run(story())


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 100])
def test_the_trail(limit: int) -> None:
    async def story() -> None:
        desk = await with_mail(3)
        for number in (1, 2, 3):
            await bounce_messages(
                desk.context, NamedMessages(names=(str(number),), reason=f"reason {number}")
            )
        everything = await desk.store.trail.audit()
        sizes = watched(desk, "audit_page")
        shown = await all_of(list_audit(desk.context, EVERY_ENTRY, limit))
        assert [view.reason for view in shown] == [entry.reason for entry in everything][:limit]
        assert max(sizes) <= PAGE
        assert len(everything) > 2 * PAGE

    run(story())


def test_a_page_that_is_not_full_is_the_last() -> None:
    """Where few match, the question after the last match would walk over all that follows."""

    async def story() -> None:
        desk = await with_mail(PAGE + 1)
        sizes = watched(desk, "list_queue")
        assert await sizes_of(list_queue(desk.context, QueueSelection())) == [PAGE, 1]
        assert sizes == [PAGE, 1]

    run(story())
