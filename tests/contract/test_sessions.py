"""Sessions of portal users: kept as they were begun, and removed with their users."""

import asyncio
from dataclasses import replace

import pytest

from restante.store.interface import Store
from restante.store.store_errors import Conflict
from restante.tenancy.grants import GrantedRole
from restante.tenancy.portal_user import PortalUser
from restante.tenancy.session_record import SessionRecord
from restante.tenancy.sign_in_factor import SignInFactor
from tests.contract.making import NOTED, account

ROOT = PortalUser("root@mx.example", "", frozenset({GrantedRole.OPERATOR}), "operator", 1.0)
ANA = PortalUser("ana@a.example", "alpha", frozenset({GrantedRole.ACCOUNT_ADMIN}), "root", 1.0)
MOST = 20


def session(number: int, user: PortalUser = ROOT, used_at: float = 0.0) -> SessionRecord:
    return SessionRecord(
        bytes([number]) * 32,
        user.email,
        user.stamp,
        (SignInFactor.PASSWORD, SignInFactor.ONE_TIME_CODE),
        "2001:db8::1",
        "Mözilla",
        1700000000.5,
        1700000001.25,
        used_at or float(number),
    )


async def signed_in(store: Store, *numbers: int, user: PortalUser = ROOT) -> None:
    if user.account:
        await store.records.put_account(account(user.account), NOTED)
    await store.records.put_portal_user(user, NOTED)
    for number in numbers:
        await store.sessions.begin_session(session(number, user), MOST)


async def numbers_of(store: Store, user: PortalUser = ROOT) -> list[int]:
    return [one.id_hash[0] for one in await store.sessions.sessions_of(user.email)]


async def test_a_session_comes_back_as_it_was(store: Store) -> None:
    await signed_in(store, 1)
    assert await store.sessions.session(b"\1" * 32) == session(1)
    assert await store.sessions.sessions_of(ROOT.email) == [session(1)]
    assert await store.sessions.session(b"\2" * 32) is None
    assert await store.sessions.session(b"") is None
    assert await store.sessions.sessions_of("nobody@mx.example") == []


async def test_nobody_begins_a_session_without_a_user(store: Store) -> None:
    with pytest.raises(Conflict):
        await store.sessions.begin_session(session(1), MOST)
    assert await store.sessions.session(b"\1" * 32) is None


async def test_a_session_takes_the_place_of_another_once(store: Store) -> None:
    await signed_in(store, 1, 2)
    await store.sessions.begin_session(session(3), MOST, b"\1" * 32)
    assert await numbers_of(store) == [3, 2]
    with pytest.raises(Conflict):
        await store.sessions.begin_session(session(4), MOST, b"\1" * 32)
    assert await numbers_of(store) == [3, 2]


async def test_a_session_takes_no_place_of_another_user(store: Store) -> None:
    await signed_in(store, 1)
    await signed_in(store, 2, user=ANA)
    with pytest.raises(Conflict):
        await store.sessions.begin_session(session(3, ANA), MOST, b"\1" * 32)
    assert await numbers_of(store) == [1]
    assert await numbers_of(store, ANA) == [2]


async def test_beyond_the_most_the_longest_unused_goes(store: Store) -> None:
    await signed_in(store, 5, 1, 3)
    await signed_in(store, 2, user=ANA)
    await store.sessions.begin_session(session(4), 3)
    assert await numbers_of(store) == [5, 4, 3]
    assert await numbers_of(store, ANA) == [2]


async def test_the_latest_use_is_kept(store: Store) -> None:
    await signed_in(store, 1, 2)
    await store.sessions.record_session_uses({b"\1" * 32: 50.0, b"\2" * 32: 0.5, b"\7" * 32: 9.0})
    assert await store.sessions.sessions_of(ROOT.email) == [session(1, used_at=50.0), session(2)]
    assert await store.sessions.session(b"\7" * 32) is None
    await store.sessions.record_session_uses({})


async def test_sessions_end(store: Store) -> None:
    await signed_in(store, 1, 2, 3)
    await signed_in(store, 9, user=ANA)
    await store.sessions.end_sessions([b"\1" * 32, b"\7" * 32])
    assert await numbers_of(store) == [3, 2]
    await store.sessions.end_sessions_of(ROOT.email)
    assert await numbers_of(store) == []
    assert await numbers_of(store, ANA) == [9]


@pytest.mark.parametrize(
    "change",
    [{"password_hash": "$argon2id$y"}, {"grants": frozenset({GrantedRole.OPERATOR_READER})}],
    ids=["password", "role"],
)
async def test_another_stamp_ends_sessions_for_good(
    store: Store, change: dict[str, object]
) -> None:
    await signed_in(store, 1, 2)
    changed = ROOT.changed(**change)
    await store.records.put_portal_user(changed, NOTED)
    await store.records.put_portal_user(replace(ROOT, revision=3), NOTED)
    assert await numbers_of(store) == []


async def test_another_change_of_the_user_ends_none(store: Store) -> None:
    await signed_in(store, 1)
    await store.records.put_portal_user(ROOT.changed(totp_step=5, signed_in_at=9.0), NOTED)
    assert await numbers_of(store) == [1]


async def test_a_removed_user_has_no_sessions(store: Store) -> None:
    await signed_in(store, 1)
    await store.records.remove_portal_user(ROOT.email, NOTED)
    assert await store.sessions.session(b"\1" * 32) is None


async def test_a_removed_account_has_no_sessions(store: Store) -> None:
    await signed_in(store, 1)
    await signed_in(store, 2, user=ANA)
    await store.records.remove_account("alpha", NOTED)
    assert await numbers_of(store, ANA) == []
    assert await numbers_of(store) == [1]


async def test_unused_sessions_are_trimmed_by_slices(store: Store) -> None:
    await signed_in(store, 1, 2, 3, 4)
    assert await store.sessions.trim_sessions(4.0, 2) == 2
    assert await store.sessions.trim_sessions(4.0, 2) == 1
    assert await store.sessions.trim_sessions(4.0, 2) == 0
    assert await numbers_of(store) == [4]


async def test_ten_thousand_sessions_are_kept_and_found(store: Store) -> None:
    """Of 500 users with 20 each, as `PortalSessions` bounds them."""
    users = [replace(ROOT, email=f"user{number}@mx.example") for number in range(500)]
    await asyncio.gather(*(store.records.put_portal_user(user, NOTED) for user in users))
    many = [
        replace(
            session(1, user), id_hash=(number * 500 + place).to_bytes(32), used_at=float(number)
        )
        for place, user in enumerate(users)
        for number in range(21)
    ]
    await asyncio.gather(*(store.sessions.begin_session(one, MOST) for one in many))
    kept = [one for one in many if one.used_at > 0]
    assert len(kept) == 10_000
    found = await asyncio.gather(*(store.sessions.session(one.id_hash) for one in kept[::50]))
    assert found == kept[::50]
    assert await numbers_of(store, users[7]) != []
    assert len(await store.sessions.sessions_of(users[7].email)) == MOST
    await store.sessions.record_session_uses({one.id_hash: 99.0 for one in kept[:500]})
    assert await store.sessions.trim_sessions(99.0, 20_000) == 9_500
