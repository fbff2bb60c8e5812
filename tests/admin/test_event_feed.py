"""Followers read the last events at their own speed, and see what their principal may see."""

import asyncio
import ipaddress
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from restante.admin import event_feed
from restante.admin.accounts import NewAccount, add_account, remove_account
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.domain_change import DomainChange
from restante.admin.domains import change_domain
from restante.admin.event_feed import EventFeed, FeedEvent, FeedKind, PlacedEvent
from restante.admin.held_changes import HeldChanges
from restante.tenancy.api_token import ApiToken
from restante.tenancy.grants import GrantedRole, Scope
from restante.tenancy.notice import NoticeFacts
from restante.tenancy.numbered_change import NumberedChange, RecordKind
from restante.tenancy.principal import Principal, Role, account_login
from restante.tenancy.token_chain import token_principal
from tests.actors import actor_named
from tests.admin.admin_world import NOW, AdminWorld, run
from tests.contract.making import NOTED

ROOT = Principal(Role.OPERATOR, actor_named("operator root"), "")
ALPHA = account_login("alpha-mail", "alpha", "192.0.2.1")
BETA = account_login("beta-mail", "beta", "192.0.2.1")
_ROLE = frozenset({GrantedRole.ACCOUNT_ADMIN})
MAKER = ApiToken("maker00000", "alpha", "maker", b"", _ROLE, "operator root", 1.0)
MADE = replace(MAKER, id="made000000", name="made", maker=MAKER.id)
Stream = AsyncIterator[PlacedEvent | None]
_ENDED = object()


async def no_wait(_event: asyncio.Event, _seconds: float) -> None:
    """The time is over at once."""


def new_feed(admin: AdminWorld, seconds: list[float] | None = None) -> EventFeed:
    clock = seconds or [0.0]
    feed = EventFeed(admin.context.directory, lambda: NOW, no_wait, lambda: clock[0])
    admin.context.directory.on_numbered(feed.hear_changes)
    return feed


def notice(account: str, about: str = "it", **details: str) -> NoticeFacts:
    return NoticeFacts("primary-away", account, about, "It does not answer.", NOW, details)


async def until_quiet(stream: AsyncIterator[PlacedEvent | None]) -> list[PlacedEvent]:
    """Return the events up to the next heartbeat."""
    found = []
    while (placed := await anext(stream)) is not None:
        found.append(placed)
    return found


async def seen(feed: EventFeed, principal: Principal, after: str) -> list[FeedEvent]:
    stream = feed.follow(principal, after)
    await anext(stream)
    return [placed.event for placed in await until_quiet(stream)]


async def first_id(feed: EventFeed) -> str:
    """Publish one event, and return its id."""
    stream = feed.follow(ROOT, "")
    await anext(stream)
    feed.hear_notice(notice(""))
    placed = (await until_quiet(stream))[0]
    return placed.id


def test_an_account_follows_its_own_events_only() -> None:
    async def story() -> None:
        feed = new_feed(AdminWorld())
        start = await first_id(feed)
        for account in ("", "alpha", "beta"):
            feed.hear_notice(notice(account))
        assert [one.account for one in await seen(feed, ROOT, start)] == ["", "alpha", "beta"]
        assert [one.account for one in await seen(feed, ALPHA, start)] == ["alpha"]

    run(story())


def test_a_new_account_follows_no_events_of_a_removed_one_with_its_name() -> None:
    async def story() -> None:
        admin = AdminWorld()
        feed = new_feed(admin)
        await add_account(admin.context, NewAccount(name="alpha"))
        start = await first_id(feed)
        feed.hear_notice(notice("alpha", "of the old one"))
        await remove_account(admin.context, "alpha", "it leaves")
        await add_account(admin.context, NewAccount(name="alpha"))
        found = await seen(feed, ALPHA, start)
        assert [(one.kind, one.data["change"]) for one in found] == [(FeedKind.RECORD, "added")]
        assert "of the old one" in [one.data.get("about") for one in await seen(feed, ROOT, start)]

    run(story())


def test_a_principal_of_one_domain_follows_that_domain_only() -> None:
    async def story() -> None:
        feed = new_feed(AdminWorld())
        start = await first_id(feed)
        feed.hear_notice(notice("alpha", "a", domain="a.example"))
        feed.hear_notice(notice("alpha", "b", domain="b.example"))
        feed.hear_notice(notice("alpha", "login"))
        limited = replace(ALPHA, domains=frozenset({"b.example"}))
        assert [one.data["about"] for one in await seen(feed, limited, start)] == ["b"]

    run(story())


def test_changes_of_records_are_events_of_their_account() -> None:
    async def story() -> list[tuple[object, ...]]:
        admin = AdminWorld()
        feed = new_feed(admin)
        await admin.host("first.example", "alpha")  # all records are read for the first time
        start = await first_id(feed)
        await admin.host("alpha.example", "alpha")
        domain = admin.context.directory.now.domains["alpha.example"]
        await admin.store.records.put_domain(domain, NOTED)
        await admin.context.directory.refresh()
        await admin.store.records.remove_domain(domain.id, NOTED)
        await admin.context.directory.refresh()
        assert await seen(feed, BETA, start) == []
        return [
            (one.data["kind"], one.data["name"], one.data["change"])
            for one in await seen(feed, ALPHA, start)
        ]

    assert run(story()) == [
        ("domain", "alpha.example", "added"),
        ("domain", "alpha.example", "changed"),
        ("domain", "alpha.example", "removed"),
    ]


def test_a_domain_that_moves_leaves_one_account_and_enters_another() -> None:
    admin = AdminWorld()
    run(admin.host("alpha.example", "alpha"))
    before = admin.context.directory.now
    moved = replace(before.domains["alpha.example"], account="beta")
    after = replace(before, domains={"alpha.example": moved})
    change = NumberedChange(9, RecordKind.DOMAIN, str(moved.id), moved)
    events = list(event_feed.record_events(change, before, after, NOW))
    assert [(one.account, one.data["change"]) for one in events] == [
        ("alpha", "removed"),
        ("beta", "added"),
    ]


@pytest.mark.parametrize("after", ["other-1", "nonsense", "-", "x" * 64, "{run}-999", "{run}-²"])
def test_a_follower_with_an_unknown_place_is_told_to_read_again(after: str) -> None:
    async def story() -> None:
        feed = new_feed(AdminWorld())
        start = await first_id(feed)
        given = after.replace("{run}", start.partition("-")[0])
        assert [one.kind for one in await seen(feed, ROOT, given)] == [FeedKind.MISSED]

    run(story())


def test_a_follower_that_falls_behind_the_ring_goes_on_after_a_gap(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(event_feed, "RING", 3)

    async def story() -> None:
        feed = new_feed(AdminWorld())
        stream = feed.follow(ROOT, "")
        await anext(stream)
        for number in range(5):
            feed.hear_notice(notice("", str(number)))
        kinds = [(one.event.kind, one.event.data.get("about")) for one in await until_quiet(stream)]
        assert kinds == [("missed", None), ("notice", "2"), ("notice", "3"), ("notice", "4")]

    run(story())


def test_when_all_records_are_read_again_everybody_is_told() -> None:
    async def story() -> None:
        feed = new_feed(AdminWorld())
        stream = feed.follow(ALPHA, "")
        await anext(stream)
        feed.hear_changes(None)
        assert [one.event.kind for one in await until_quiet(stream)] == [FeedKind.MISSED]

    run(story())


def operator(number: int) -> Principal:
    return replace(ROOT, actor=actor_named(f"operator {number}"))


def test_the_tokens_of_an_account_share_its_places() -> None:
    async def story() -> None:
        feed = new_feed(AdminWorld())
        streams = [
            feed.follow(replace(ALPHA, actor=actor_named(f"token {one}")), "") for one in range(5)
        ]
        for stream in streams[: event_feed.MOST_OF_ONE]:
            await anext(stream)
        with pytest.raises(AdminError) as raised:
            await anext(streams[-1])
        assert raised.value.kind is ErrorKind.TRY_LATER
        await anext(feed.follow(BETA, ""))
        await streams[0].aclose()  # type: ignore[attr-defined]  # it is a generator
        await anext(feed.follow(replace(ALPHA, actor=actor_named("token 4")), ""))

    run(story())


def test_accounts_together_leave_places_for_operators() -> None:
    async def story() -> None:
        feed = new_feed(AdminWorld())
        of_accounts = event_feed.MOST - event_feed.FOR_OPERATORS
        streams = [feed.follow(replace(ALPHA, account=f"a{one}"), "") for one in range(of_accounts)]
        streams += [feed.follow(operator(0), "") for _ in range(event_feed.FOR_OPERATORS)]
        for stream in streams[:of_accounts]:
            await anext(stream)
        with pytest.raises(AdminError) as raised:
            await anext(feed.follow(BETA, ""))
        assert raised.value.kind is ErrorKind.TRY_LATER
        for stream in streams[of_accounts:]:
            await anext(stream)
        with pytest.raises(AdminError):
            await anext(feed.follow(operator(1), ""))

    run(story())


@pytest.mark.parametrize(
    ("who", "present", "is_room"),
    [
        (ROOT, [], True),
        (ROOT, [ROOT] * 3, True),
        (ROOT, [ROOT] * 4, False),
        (operator(1), [ROOT] * 4, True),
        (operator(4), [operator(one // 4) for one in range(16)], False),
        (ALPHA, [operator(one // 4) for one in range(15)], True),
        (ALPHA, [operator(one // 4) for one in range(16)], False),
        (ALPHA, [replace(ROOT, actor=ALPHA.actor)] * 4, True),
    ],
)
def test_operators_have_places_by_name_and_may_take_all(
    who: Principal, present: list[Principal], is_room: bool
) -> None:
    assert event_feed.has_room(who, present) is is_room


def test_a_stream_ends_when_its_time_is_over_or_the_server_stops() -> None:
    async def story() -> None:
        clock = [0.0]
        feed = new_feed(AdminWorld(), clock)
        stream = feed.follow(ROOT, "")
        await anext(stream)
        clock[0] = event_feed.FOLLOW_SECONDS
        assert [one async for one in stream] == []
        other = feed.follow(ROOT, "")
        await anext(other)
        feed.close()
        assert [one async for one in other] == []

    run(story())


async def following_by_a_token(admin: AdminWorld, feed: EventFeed, **of_maker: Any) -> Stream:
    """Return a quiet stream by a token that another made."""
    for token in (replace(MAKER, **of_maker), MADE):
        await admin.store.records.put_token(token, NOTED)
    await admin.context.directory.refresh()
    principal = token_principal(MADE, admin.context.directory.now, "192.0.2.1")
    stream = feed.follow(principal, "")
    await anext(stream)
    assert await until_quiet(stream) == []
    return stream


async def over(stream: Stream) -> bool:
    """Return whether a stream ends without another event or heartbeat."""
    return await anext(stream, _ENDED) is _ENDED


@pytest.mark.parametrize("of_whom", [MADE, MAKER])
@pytest.mark.parametrize(
    "fields",
    [
        {"revoked_at": NOW},
        {"expires_at": NOW},
        {"grants": frozenset({Scope.QUEUE_READ})},
        {"domains": ("a.example",)},
        {"networks": (ipaddress.ip_network("198.51.100.0/24"),)},
    ],
)
def test_a_stream_ends_when_its_token_or_a_maker_changes(
    of_whom: ApiToken, fields: dict[str, Any]
) -> None:
    async def story() -> None:
        admin = AdminWorld()
        feed = new_feed(admin)
        await admin.host("alpha.example", "alpha")
        stream = await following_by_a_token(admin, feed)
        feed.hear_notice(notice("alpha"))  # it came before, and is not sent either
        await admin.store.records.put_token(replace(of_whom, **fields), NOTED)
        await admin.context.directory.refresh()
        assert await over(stream)
        assert not feed._followers

    run(story())


@pytest.mark.parametrize("of_whom", [MADE, MAKER])
def test_a_stream_ends_when_its_token_or_a_maker_is_removed(of_whom: ApiToken) -> None:
    async def story() -> None:
        admin = AdminWorld()
        feed = new_feed(admin)
        await admin.host("alpha.example", "alpha")
        stream = await following_by_a_token(admin, feed)
        await admin.store.records.remove_tokens([of_whom.id])
        await admin.context.directory.refresh()
        assert await over(stream)

    run(story())


def test_a_stream_goes_on_when_another_token_changes() -> None:
    async def story() -> None:
        admin = AdminWorld()
        feed = new_feed(admin)
        await admin.host("alpha.example", "alpha")
        stream = await following_by_a_token(admin, feed)
        other = replace(MAKER, id="other00000", name="other", revoked_at=NOW)
        await admin.store.records.put_token(other, NOTED)
        await admin.context.directory.refresh()
        [placed] = await until_quiet(stream)
        assert placed.event.data["name"] == "other"

    run(story())


def test_a_stream_ends_when_a_maker_expires_and_waits_no_longer() -> None:
    async def story() -> None:
        admin, unix, waits = AdminWorld(), [NOW], list[float]()

        async def wait(_event: asyncio.Event, seconds: float) -> None:
            waits.append(seconds)
            unix[0] += seconds

        feed = EventFeed(admin.context.directory, lambda: unix[0], wait, lambda: 0.0)
        await admin.host("alpha.example", "alpha")
        ends_at = NOW + event_feed.HEARTBEAT_SECONDS + 2
        stream = await following_by_a_token(admin, feed, expires_at=ends_at)
        assert await over(stream)
        assert waits == [event_feed.HEARTBEAT_SECONDS, 2]

    run(story())


def test_a_stream_of_a_token_that_ended_meanwhile_has_nothing_in_it() -> None:
    async def story() -> None:
        feed = new_feed(AdminWorld())
        stream = feed.follow(replace(ALPHA, token="gone000000"), "other-1")
        assert await anext(stream) is None  # the route waits for this one
        assert await over(stream)

    run(story())


def test_each_change_of_records_wakes_a_waiting_follower() -> None:
    async def story() -> None:
        feed = new_feed(AdminWorld())
        stream = feed.follow(ROOT, "")
        await anext(stream)
        [follower] = feed._followers
        feed.hear_changes([])
        assert follower.woken.is_set()

    run(story())


def held_feed(admin: AdminWorld) -> EventFeed:
    changes = HeldChanges(admin.store.figures)
    return EventFeed(admin.context.directory, lambda: NOW, no_wait, lambda: 0.0, held=changes)


async def opened_stream(feed: EventFeed, principal: Principal) -> Stream:
    stream = feed.follow(principal, "")
    await anext(stream)
    return stream


def test_followers_hear_whose_held_mail_has_changed_and_how_much_there_is_now() -> None:
    async def story() -> None:
        admin = AdminWorld()
        alpha, beta = [await admin.host(f"{name}.example", name) for name in ("alpha", "beta")]
        await admin.hold(1, alpha, "a@alpha.example")
        feed = held_feed(admin)
        streams = [await opened_stream(feed, one) for one in (ROOT, ALPHA)]
        await admin.hold(2, alpha, "a@alpha.example")
        await admin.hold(3, beta, "b@beta.example")
        await feed.look_at_held()
        await admin.hold(4, alpha, "a@alpha.example")
        of_all, of_alpha = [await until_quiet(stream) for stream in streams]
        assert {placed.event.domain for placed in of_all} == {"alpha.example", "beta.example"}
        [placed] = of_alpha
        assert (placed.id, placed.event.kind) == ("", FeedKind.HELD)
        data = placed.event.data
        assert (data["domain"], data["account"], data["held"]) == ("alpha.example", "alpha", 3)
        await feed.look_at_held()
        assert len(await until_quiet(streams[1])) == 1
        await feed.look_at_held()
        assert await until_quiet(streams[1]) == []

    run(story())


def test_an_event_that_comes_while_held_mail_is_told_is_not_waited_for() -> None:
    async def story() -> None:
        admin = AdminWorld()
        alpha = await admin.host("alpha.example", "alpha")
        feed = held_feed(admin)
        stream = await opened_stream(feed, ROOT)
        await admin.hold(1, alpha, "a@alpha.example")
        await feed.look_at_held()
        first = await anext(stream)
        feed.hear_notice(notice("alpha"))  # before the follower asks for more
        found = [first, *await until_quiet(stream)]
        kinds = [placed.event.kind for placed in found if placed is not None]
        assert kinds == [FeedKind.HELD, FeedKind.NOTICE]

    run(story())


def test_what_changed_before_anybody_followed_is_not_told() -> None:
    async def story() -> None:
        admin = AdminWorld()
        alpha = await admin.host("alpha.example", "alpha")
        feed = held_feed(admin)
        await admin.hold(1, alpha, "a@alpha.example")
        await feed.look_at_held()
        stream = await opened_stream(feed, ROOT)
        await feed.look_at_held()
        assert await until_quiet(stream) == []

    run(story())


def test_a_domain_that_moved_is_told_to_its_new_account_alone() -> None:
    async def story() -> None:
        admin = AdminWorld()
        alpha = await admin.host("alpha.example", "alpha")
        await admin.host("beta.example", "beta")
        feed = held_feed(admin)
        old, new = [await opened_stream(feed, one) for one in (ALPHA, BETA)]
        await admin.hold(1, alpha, "a@alpha.example")
        await feed.look_at_held()
        await change_domain(admin.context, "alpha.example", DomainChange(account="beta"))
        assert await until_quiet(old) == []
        assert [placed.event.account for placed in await until_quiet(new)] == ["beta"]

    run(story())


def test_a_stop_while_an_event_is_sent_ends_its_follower_at_once() -> None:
    async def wait(event: asyncio.Event, _seconds: float) -> None:
        assert event.is_set(), "it waits although the server stops"

    async def story() -> None:
        feed = EventFeed(AdminWorld().context.directory, lambda: NOW, wait)
        stream = feed.follow(ROOT, "")
        await anext(stream)
        feed.hear_notice(notice("alpha"))
        assert await anext(stream) is not None
        feed.close()
        with pytest.raises(StopAsyncIteration):
            await anext(stream)

    run(story())
