"""Channels and notices: kept until they are done with, in their order, and no more than so many."""

from dataclasses import replace

import pytest

from restante.queue.sending_outcome import Backlog, SendingOutcome
from restante.store.interface import Store
from restante.store.notice_store import PAST_KEPT
from restante.store.store_errors import Conflict, Overtaken
from restante.tenancy.notice import (
    Channel,
    ChannelTransport,
    NewNotice,
    Notice,
    NoticeFacts,
    NoticeKind,
    PastNotice,
    QuietTopic,
)
from tests.contract.making import NOTED, account

KINDS = frozenset({NoticeKind.MAIL_AFTER_QUIET, NoticeKind.QUOTA_REACHED})
HOOK = Channel(
    0,
    "alpha",
    "hook",
    ChannelTransport.WEBHOOK,
    "https://hook.example/…",
    b"\0sealed",
    KINDS,
    100.0,
)
MAIL = Channel(
    0, "", "mail", ChannelTransport.MAIL, "ops@example.org", None, KINDS, 101.0, all_accounts=True
)
PLENTY = 1000


def notice_facts(
    about: str = "alpha.example", kind: NoticeKind = NoticeKind.MAIL_AFTER_QUIET
) -> NoticeFacts:
    return NoticeFacts(
        kind, "alpha", about, f"Mail came for {about}: ü 😀", 50.0, {"messages": 3, "domain": about}
    )


def new(
    channel_id: int, key: str = "key", made_at: float = 60.0, about: str = "alpha.example"
) -> NewNotice:
    return NewNotice(channel_id, key, notice_facts(about), 2, made_at)


async def channel(store: Store, wanted: Channel = HOOK) -> int:
    await store.records.put_account(account(), NOTED)
    return (await store.records.put_channel(wanted, NOTED)).id


async def keep(store: Store, *notices: NewNotice, limit: int = PLENTY) -> int:
    return await store.notices.keep_notices(notices, [], [], limit)


async def keys(store: Store) -> list[str]:
    return [notice.key for notice in await store.notices.list_notices(PLENTY)]


# --- channels


async def test_a_channel_is_one_of_the_records(store: Store) -> None:
    await store.records.put_account(account(), NOTED)
    before = (await store.records.directory()).change_number
    hook, mail = (
        await store.records.put_channel(HOOK, NOTED),
        await store.records.put_channel(MAIL, NOTED),
    )
    directory = await store.records.directory()
    assert directory.channels == {
        hook.id: replace(HOOK, id=hook.id),
        mail.id: replace(MAIL, id=mail.id),
    }
    assert directory.change_number == before + 2
    assert directory.channel("alpha", "hook") == hook
    assert directory.channel("", "mail") == mail
    assert directory.channel("", "hook") is None
    assert len(await store.audit.audit()) == 3


async def test_a_name_is_one_channels_within_its_account(store: Store) -> None:
    await channel(store)
    with pytest.raises(Conflict):
        await store.records.put_channel(replace(MAIL, account="alpha", name="hook"), NOTED)
    await store.records.put_channel(replace(MAIL, name="hook"), NOTED)  # the operator's own


async def test_of_two_changes_of_one_channel_the_first_is_kept(store: Store) -> None:
    await channel(store, MAIL)
    read = replace(HOOK, id=await channel(store))
    other = replace(read, kinds=frozenset({NoticeKind.QUOTA_REACHED}))
    assert await store.records.put_channel(other, NOTED, before=read) == other
    with pytest.raises(Overtaken):
        await store.records.put_channel(read, NOTED, before=read)


async def test_a_channel_is_changed_in_place(store: Store) -> None:
    await channel(store, MAIL)
    number = await channel(store)
    before = (await store.records.directory()).change_number
    other = Channel(
        number,
        "alpha",
        "hook",
        ChannelTransport.WEBHOOK,
        "https://b.example/",
        b"new",
        KINDS - {NoticeKind.QUOTA_REACHED},
        100.0,
    )
    assert await store.records.put_channel(other, NOTED) == other
    directory = await store.records.directory()
    assert directory.channel("alpha", "hook") == other
    assert directory.change_number == before + 1
    assert len(directory.channels) == 2
    own = directory.channel("", "mail")
    assert own is not None
    await store.records.put_channel(replace(own, all_accounts=False), NOTED)
    assert (await store.records.directory()).channels[own.id] == replace(own, all_accounts=False)


async def test_only_the_channel_that_is_there_is_changed(store: Store) -> None:
    number = await channel(store)
    present = replace(HOOK, id=number)
    trail = len(await store.audit.audit())
    for other in (
        replace(present, id=number + 1),
        replace(present, name="other"),
        replace(present, account=""),
    ):
        with pytest.raises(Conflict):
            await store.records.put_channel(other, NOTED)
    await store.records.remove_channel(number, NOTED)
    with pytest.raises(Conflict):
        await store.records.put_channel(present, NOTED)
    assert (await store.records.directory()).channels == {}
    assert len(await store.audit.audit()) == trail + 1


async def test_notices_for_a_changed_channel_stay_and_are_due(store: Store) -> None:
    hook, mail = await channel(store), await channel(store, MAIL)
    await keep(store, new(hook, "a"), new(mail, "b"), new(hook, "c"))
    await store.notices.settle_notices(
        [SendingOutcome(one.number, 900.0, "503") for one in await store.notices.first_notices(10)]
    )
    await store.records.put_channel(replace(HOOK, id=hook), replace(NOTED, at=300.0))
    waiting = await store.notices.list_notices(PLENTY)
    assert [(one.key, one.next_attempt_at, one.failures) for one in waiting] == [
        ("a", 300.0, 1),
        ("b", 900.0, 1),
        ("c", 60.0, 0),
    ]
    assert [one.key for one in await store.notices.first_notices(10)] == ["a", "b"]


async def test_an_account_that_is_gone_gets_no_channel(store: Store) -> None:
    with pytest.raises(Conflict):
        await store.records.put_channel(HOOK, NOTED)
    assert (await store.records.directory()).channels == {}


async def test_an_account_with_channels_stays(store: Store) -> None:
    number = await channel(store)
    with pytest.raises(Conflict):
        await store.records.remove_account("alpha", NOTED)
    await store.records.remove_channel(number, NOTED)
    await store.records.remove_account("alpha", NOTED)
    assert (await store.records.directory()).accounts == {}


async def test_a_channel_takes_with_it_what_waits_for_it_and_its_id_never_comes_back(
    store: Store,
) -> None:
    hook, mail = await channel(store), await channel(store, MAIL)
    await keep(store, new(hook, "a"), new(mail, "b"))
    await store.records.remove_channel(hook, NOTED)
    assert await keys(store) == ["b"]
    trail = len(await store.audit.audit())
    await store.records.remove_channel(hook, NOTED)
    assert len(await store.audit.audit()) == trail
    assert await channel(store, HOOK) > mail


# --- notices


async def test_a_notice_is_kept_whole(store: Store) -> None:
    number = await channel(store)
    await keep(store, new(number, "the key"))
    [notice] = await store.notices.first_notices(10)
    assert notice == Notice(notice.number, number, "the key", notice_facts(), 2, 60.0, 60.0)
    assert await store.notices.notice_backlog() == Backlog(1, 60.0)


async def test_each_channel_has_its_turn_in_the_order_in_which_they_are_due(store: Store) -> None:
    hook, mail = await channel(store), await channel(store, MAIL)
    await keep(
        store,
        new(hook, "a", 30.0),
        new(hook, "b", 10.0),
        new(mail, "c", 20.0),
        new(mail, "d", 40.0),
    )
    assert [notice.key for notice in await store.notices.first_notices(10)] == ["c", "a"]
    assert [notice.key for notice in await store.notices.first_notices(1)] == ["c"]
    assert await keys(store) == ["a", "b", "c", "d"]
    assert [notice.key for notice in await store.notices.list_notices(10, [mail])] == ["c", "d"]
    assert [notice.key for notice in await store.notices.list_notices(3, [mail, hook])] == [
        "a",
        "b",
        "c",
    ]
    assert await store.notices.list_notices(10, []) == []
    second = (await store.notices.list_notices(2))[-1].number
    assert [notice.key for notice in await store.notices.list_notices(10, after=second)] == [
        "c",
        "d",
    ]
    assert [notice.key for notice in await store.notices.list_notices(10, [hook], second)] == []
    assert [notice.key for notice in await store.notices.list_notices(10, [mail], second + 1)] == [
        "d"
    ]


async def test_notices_that_wait_for_too_long_are_hastened_and_no_others(store: Store) -> None:
    hook, mail = await channel(store), await channel(store, MAIL)
    await keep(store, new(hook, "a", 20.0), new(mail, "b", 30.0))
    await store.notices.hasten_notices(5.0, 20.0)
    found = await store.notices.first_notices(10)
    assert [(one.key, one.next_attempt_at, one.failures) for one in found] == [
        ("b", 5.0, 0),
        ("a", 20.0, 0),
    ]


async def test_a_deferred_notice_keeps_its_place_and_its_key(store: Store) -> None:
    number = await channel(store)
    await keep(store, new(number, "a"), new(number, "b"))
    [first] = await store.notices.first_notices(10)
    await store.notices.settle_notices(
        [SendingOutcome(first.number, 99.0, "503 \udcff"), SendingOutcome(999, 1.0)]
    )
    [again] = await store.notices.first_notices(10)
    assert (again.key, again.failures, again.next_attempt_at, again.reply[:4]) == (
        "a",
        1,
        99.0,
        "503 ",
    )
    await store.notices.settle_notices([SendingOutcome(first.number), SendingOutcome(first.number)])
    assert await keys(store) == ["b"]


async def test_of_too_many_the_oldest_go(store: Store) -> None:
    hook, mail = await channel(store), await channel(store, MAIL)
    assert (
        await keep(store, new(mail, "m"), *(new(hook, str(place)) for place in range(5)), limit=3)
        == 2
    )
    assert await keys(store) == ["m", "2", "3", "4"]
    assert await keep(store, new(hook, "5"), limit=3) == 1
    assert await keys(store) == ["m", "3", "4", "5"]


async def test_how_many_notices_wait_is_known_and_since_when(store: Store) -> None:
    """However they left: sent, too many, or their channel removed."""
    assert await store.notices.notice_backlog() == Backlog()
    hook, mail = await channel(store), await channel(store, MAIL)
    await keep(
        store,
        *(new(hook, str(place), 10.0 + place) for place in range(4)),
        new(mail, "m", 20.0),
        limit=3,
    )
    assert await store.notices.notice_backlog() == Backlog(4, 11.0)
    [first, _] = await store.notices.first_notices(10)
    await store.notices.settle_notices([SendingOutcome(first.number), SendingOutcome(999)])
    assert await store.notices.notice_backlog() == Backlog(3, 12.0)
    await store.records.remove_channel(hook, NOTED)
    assert await store.notices.notice_backlog() == Backlog(1, 20.0)
    await store.records.remove_channel(mail, NOTED)
    assert await store.notices.notice_backlog() == Backlog()


async def test_a_notice_for_a_channel_that_is_gone_is_passed_over(store: Store) -> None:
    number = await channel(store)
    assert await keep(store, new(number + 1, "a"), new(number, "b")) == 0
    assert await keys(store) == ["b"]


async def test_quiet_topics_are_remembered_until_their_end(store: Store) -> None:
    number = await channel(store)
    told = QuietTopic(notice_facts().topic, 100.0)
    held_back = QuietTopic(
        notice_facts("beta.example").topic, 200.0, 3, notice_facts("beta.example")
    )
    await store.notices.keep_notices([new(number)], [told, held_back], [], PLENTY)
    assert await store.notices.quiets() == [told, held_back]
    again = replace(told, until=300.0)
    await store.notices.keep_notices(
        [], [again], [held_back.topic, notice_facts(kind=NoticeKind.QUOTA_REACHED).topic], PLENTY
    )
    assert await store.notices.quiets() == [again]
    assert await store.notices.notice_backlog() == Backlog(1, 60.0)


async def test_fields_of_a_later_version_are_read_by_their_names(
    store: Store,
) -> None:
    number = await channel(store, replace(HOOK, transport="pigeon"))
    assert (await store.records.directory()).channels[number].transport == "pigeon"
    unknown = replace(notice_facts(), kind="eggs-laid")
    told = QuietTopic(unknown.topic, 100.0, 1, unknown)
    await store.notices.keep_notices([replace(new(number), facts=unknown)], [told], [], PLENTY)
    [notice] = await store.notices.first_notices(10)
    assert notice.facts == unknown
    assert await store.notices.quiets() == [told]


# --- past notices


def past(channel_id: int, key: str = "key", **fields: bool | int | str) -> PastNotice:
    one = PastNotice(
        0, channel_id, key, notice_facts(), 2, 70.0, is_sent=True, failures=1, reply="204 ok"
    )
    return replace(one, **fields)  # type: ignore[arg-type]


async def past_keys(store: Store, *channels: int, before: int | None = None) -> list[str]:
    found = await store.notices.past_notices(channels or None, before, PLENTY)
    return [one.key for one in found]


async def test_a_past_notice_is_kept_as_it_ended(store: Store) -> None:
    number = await channel(store)
    await keep(store, new(number))
    [waiting] = await store.notices.first_notices(1)
    ended = past(number, is_sent=False, reply="550 \udcff no")
    await store.notices.settle_notices([SendingOutcome(waiting.number)], [ended])
    [kept] = await store.notices.past_notices(None, None, PLENTY)
    assert kept.number > 0
    assert replace(kept, number=0, reply="") == replace(ended, reply="")
    assert kept.reply.startswith("550 ")
    assert await keys(store) == []


async def test_past_notices_are_listed_newest_first_by_channel(store: Store) -> None:
    hook, mail = await channel(store), await channel(store, MAIL)
    await store.notices.settle_notices([], [past(hook, "a"), past(mail, "b"), past(hook, "c")])
    assert await past_keys(store) == ["c", "b", "a"]
    assert await past_keys(store, hook) == ["c", "a"]
    [newest] = await store.notices.past_notices(None, None, 1)
    assert await past_keys(store, before=newest.number) == ["b", "a"]
    assert await store.notices.past_notices([], None, PLENTY) == []


async def test_the_newest_past_notices_of_each_channel_stay(store: Store) -> None:
    hook, mail = await channel(store), await channel(store, MAIL)
    await store.notices.settle_notices([], [past(mail, "m")])
    many = [past(hook, str(number)) for number in range(PAST_KEPT + 3)]
    await store.notices.settle_notices([], many)
    kept = await past_keys(store, hook)
    assert (len(kept), kept[0], kept[-1]) == (PAST_KEPT, str(PAST_KEPT + 2), "3")
    assert await past_keys(store, mail) == ["m"]


async def test_a_channel_takes_its_past_notices_with_it(store: Store) -> None:
    hook, mail = await channel(store), await channel(store, MAIL)
    await store.notices.settle_notices([], [past(hook, "a"), past(mail, "b")])
    await store.records.remove_channel(hook, NOTED)
    await store.notices.settle_notices([], [past(hook, "late")])
    assert await past_keys(store) == ["b"]
