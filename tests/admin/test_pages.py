"""Long listings come by pages, each read from the store at once, and cursors lead through them."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

import pytest

from restante.admin import channels, held_mail
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.auditing import list_audit
from restante.admin.bounce import bounce_messages
from restante.admin.channel_change import NewChannel
from restante.admin.channels import list_waiting
from restante.admin.drains import list_drains
from restante.admin.held_mail import NamedMessages, QueueSelection, list_queue, name_messages
from restante.admin.listing_page import ListingPage
from restante.admin.past_notices import PastSelection, list_past
from restante.admin.recipient_lists import RecipientList, list_recipients, replace_recipients
from restante.admin.releases import ReleaseSelection, list_releases
from restante.admin.report_queue import ReportSelection, list_reports
from restante.queue.recipient_status import RecipientStatus
from restante.tenancy.audit import EVERY_ENTRY
from restante.tenancy.notice import NewNotice, NoticeFacts, NoticeKind, PastNotice
from tests.admin.admin_world import NOW, AdminWorld, all_of, run

PAGE = 2
COUNTS = (0, 1, PAGE, PAGE + 1, 2 * PAGE, 2 * PAGE + 1)
T = TypeVar("T")


@pytest.fixture(autouse=True)
def short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_mail, "PAGE", PAGE)


async def followed(ask: Callable[[str], Awaitable[ListingPage[T]]]) -> list[list[T]]:
    """Ask for page after page, by the cursor of each."""
    pages: list[list[T]] = []
    after: str | None = ""
    while after is not None:
        page = await ask(after)
        pages.append(list(page.views))
        after = page.after
    return pages


def in_twos(items: Sequence[T]) -> list[list[T]]:
    return [list(items[at : at + PAGE]) for at in range(0, max(1, len(items)), PAGE)]


async def with_mail(count: int) -> AdminWorld:
    admin = AdminWorld()
    alpha = await admin.host("alpha.example", "alpha")
    for number in range(1, count + 1):
        await admin.hold(number, alpha, "x@alpha.example", "y@alpha.example")
    return admin


@pytest.mark.parametrize("count", COUNTS)
def test_the_queue(count: int) -> None:
    async def story() -> None:
        admin = await with_mail(count)
        pages = await followed(
            lambda after: list_queue(admin.context, QueueSelection(after=after or None, limit=PAGE))
        )
        names = [str(number) for number in range(1, count + 1)]
        assert [[view.name for view in page] for page in pages] == in_twos(names)

    run(story())


@pytest.mark.parametrize(
    ("limit", "names"),
    [(1, ["2"]), (2, ["2", "3"]), (3, ["2", "3", "4"]), (9, ["2", "3", "4", "5"])],
)
def test_a_limit_and_a_beginning_are_of_the_whole_listing(limit: int, names: Sequence[str]) -> None:
    async def story() -> None:
        admin = await with_mail(5)
        selection = QueueSelection(after="1", limit=limit)
        assert [view.name for view in await all_of(list_queue(admin.context, selection))] == names
        assert (await name_messages(admin.context, selection)).names == names

    run(story())


def test_names_are_counted_over_all_pages() -> None:
    async def story() -> None:
        admin = await with_mail(3)
        beta = await admin.host("beta.example", "beta")
        await admin.hold(4, beta, "x@beta.example")
        for number in (1, 3):
            await admin.refuse(number, 1, "x@alpha.example", "550 5.1.1 no such user")
        named = await name_messages(admin.context, QueueSelection(recipient="x*"))
        assert named.names == ["1", "2", "3", "4"]
        assert named.domains == ["alpha.example", "beta.example"]
        assert named.shared == 3
        assert named.octets == sum(
            view.size for view in await all_of(list_queue(admin.context, QueueSelection()))
        )
        refused = await name_messages(admin.context, QueueSelection(status=RecipientStatus.REFUSED))
        assert (refused.names, refused.shared) == (["1", "3"], 2)

    run(story())


@pytest.mark.parametrize("count", COUNTS)
def test_reports(count: int) -> None:
    async def story() -> None:
        admin = await with_mail(count)
        for number in range(1, count + 1):
            await bounce_messages(admin.context, NamedMessages(names=(str(number),), reason="done"))
        pages = await followed(
            lambda after: list_reports(admin.context, ReportSelection(after=after, limit=PAGE))
        )
        numbers = list(range(1, count + 1))
        assert [[view.number for view in page] for page in pages] == in_twos(numbers)

    run(story())


@pytest.mark.parametrize("count", COUNTS)
def test_notices_that_wait(count: int) -> None:
    async def story() -> None:
        admin = AdminWorld()
        await admin.host("alpha.example", "alpha")
        target = NewChannel(name="hook", account="alpha", mail="pager@elsewhere.test")
        await channels.add_channel(admin.context, target)
        [channel] = admin.context.directory.now.channels
        facts = NoticeFacts(NoticeKind.PRIMARY_AWAY, "alpha", "x", "away", NOW)
        waiting = [NewNotice(channel, str(number), facts, 0, NOW) for number in range(count)]
        await admin.store.notices.keep_notices(waiting, [], [], limit=100)
        ids = [str(number) for number in range(count)]
        for account in (None, "alpha"):
            pages = await followed(partial(list_waiting, admin.context, account, limit=PAGE))
            assert [[view.id for view in page] for page in pages] == in_twos(ids)

    run(story())


def test_notices_of_the_past() -> None:
    async def story() -> None:
        admin = AdminWorld()
        await admin.host("alpha.example", "alpha")
        target = NewChannel(name="hook", account="alpha", mail="pager@elsewhere.test")
        await channels.add_channel(admin.context, target)
        [channel] = admin.context.directory.now.channels
        facts = NoticeFacts(NoticeKind.PRIMARY_AWAY, "alpha", "x", "away", NOW)
        for number in range(5):
            one = PastNotice(
                0, channel, str(number), facts, 0, NOW, is_sent=True, failures=0, reply=""
            )
            await admin.store.notices.settle_notices([], [one])
        pages = await followed(
            lambda after: list_past(admin.context, PastSelection(after=after, limit=PAGE))
        )
        assert [[view.id for view in page] for page in pages] == [["4", "3"], ["2", "1"], ["0"]]

    run(story())


@pytest.mark.parametrize("count", COUNTS)
def test_recipients(count: int) -> None:
    async def story() -> None:
        admin = await with_mail(0)
        names = [f"r{number}" for number in range(count)]
        wanted = RecipientList(addresses=tuple(names), is_confirmed=True)
        await replace_recipients(admin.context, "alpha.example", wanted)
        pages = await followed(
            lambda after: list_recipients(admin.context, "alpha.example", after, PAGE)
        )
        assert [[view.name for view in page] for page in pages] == in_twos(names)

    run(story())


def test_drains_that_start_and_end_meanwhile_move_no_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story() -> None:
        admin = AdminWorld()
        assert admin.server is not None
        [one] = admin.server.drains()
        running = {"a.example": 2.0, "b.example": 2.0, "c.example": 1.5, "d.example": 3.0}
        for name in (*running, "e.example"):
            await admin.host(name, "alpha")
        monkeypatch.setattr(
            admin.server,
            "drains",
            lambda: (replace(one, domain=name, started_at=at) for name, at in running.items()),
        )
        first = await list_drains(admin.context, limit=2)
        assert [view.domain for view in first.views] == ["c.example", "a.example"]
        del running["a.example"], running["c.example"]
        running["e.example"] = 4.0
        rest = await list_drains(admin.context, first.after or "", limit=9)
        assert [view.domain for view in rest.views] == ["b.example", "d.example", "e.example"]
        assert rest.after is None

    run(story())


@pytest.mark.parametrize("cursor", ["x", "-1", "1/2", "9" * 30, "1" + "0" * 19, "²", "nan/a", "/a"])
def test_a_bad_cursor_is_named_with_its_remedy(cursor: str) -> None:
    async def story() -> None:
        admin = await with_mail(1)
        context = admin.context
        asks: list[Callable[[], Awaitable[object]]] = [
            lambda: list_reports(context, ReportSelection(after=cursor)),
            lambda: list_waiting(context, after=cursor),
            lambda: list_past(context, PastSelection(after=cursor)),
            lambda: list_audit(context, after=cursor),
            lambda: list_releases(context, ReleaseSelection(after=f"{cursor}.")),
            lambda: list_recipients(context, "alpha.example", f"strange{cursor}"),
            lambda: list_drains(context, f"strange{cursor}"),
        ]
        for ask in asks:
            with pytest.raises(AdminError, match="is not in this list") as error:
                await ask()
            assert error.value.kind is ErrorKind.INVALID
            assert "Link" in error.value.remedy

    run(story())


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 100])
def test_the_trail(limit: int) -> None:
    async def story() -> None:
        admin = await with_mail(3)
        for number in (1, 2, 3):
            await bounce_messages(
                admin.context, NamedMessages(names=(str(number),), reason=f"reason {number}")
            )
        everything = await admin.store.audit.audit()
        pages = await followed(lambda after: list_audit(admin.context, EVERY_ENTRY, limit, after))
        assert all(len(page) == limit for page in pages[:-1])
        found = [view.reason for page in pages for view in page]
        assert found == [entry.reason for entry in everything]

    run(story())


def test_entries_that_come_meanwhile_repeat_none() -> None:
    async def story() -> None:
        admin = await with_mail(2)
        before = [entry.subject for entry in await admin.store.audit.audit()]
        first = await list_audit(admin.context, limit=1)
        await admin.host("beta.example", "beta")
        rest = await list_audit(admin.context, after=first.after or "", limit=100)
        assert [view.subject for view in (*first.views, *rest.views)] == before

    run(story())
