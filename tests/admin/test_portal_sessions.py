"""Sessions: begun, found again, renewed and ended; their uses are written together."""

import asyncio
from dataclasses import dataclass, field

import pytest

from restante.admin.portal_sessions import (
    LONGEST_AGENT,
    MOST_OF_USER,
    SLICE,
    WRITE_SECONDS,
    PortalSessions,
    SessionOver,
    SignInProof,
)
from restante.background.rounds import Rounds
from restante.store.live_directory import LiveDirectory
from restante.store.memory import MemoryStore
from restante.store.store_errors import StoreError
from restante.telemetry.work_word import WorkWord
from restante.tenancy.audit import AuditAction, AuditEntry
from restante.tenancy.grants import GrantedRole
from restante.tenancy.portal_user import PortalUser
from restante.tenancy.session_record import OF_ACCOUNTS, OF_OPERATORS, hash_session_secret
from restante.tenancy.sign_in_factor import SignInFactor
from tests.admin.admin_world import NOW, Lines, run

NOTED = AuditEntry(1.0, AuditAction.USER_CHANGED, "operator", "x")
ROOT = PortalUser(
    "root@mx.example",
    "",
    frozenset({GrantedRole.OPERATOR}),
    "operator",
    1.0,
    password_hash="$argon2id$",
    sealed_totp=b"\0",
)
PROOF = SignInProof((SignInFactor.PASSWORD, SignInFactor.ONE_TIME_CODE), "192.0.2.9", "Browser/1.0")


@dataclass
class Place:
    """Sessions over a memory store, and the clock."""

    now: float = NOW
    store: MemoryStore = field(default_factory=MemoryStore)

    def __post_init__(self) -> None:
        self.directory = LiveDirectory(self.store.records)
        self.sessions = self.another()

    def another(self) -> PortalSessions:
        """Return the sessions of another process on the same store."""
        return PortalSessions(
            self.store.sessions,
            self.directory,
            Rounds(Lines(), WorkWord.PORTAL_SESSIONS),
            lambda: self.now,
        )

    async def put(self, user: PortalUser) -> None:
        await self.store.records.put_portal_user(user, NOTED)
        await self.directory.refresh()


async def place_with_root() -> Place:
    place = Place()
    await place.put(ROOT)
    return place


def test_a_session_is_found_by_its_secret_alone() -> None:
    async def story() -> None:
        place = await place_with_root()
        secret = await place.sessions.begin(ROOT, PROOF)
        found = await place.sessions.find(secret)
        assert found is not None
        assert found.user == ROOT
        assert (found.record.address, found.record.factors) == (PROOF.address, PROOF.factors)
        assert found.fresh_until == NOW + 300
        for other in ("", secret[:-1], secret[:-1] + "!", found.record.key):
            assert await place.sessions.find(other) is None
        kept = await place.store.sessions.sessions_of(ROOT.email)
        assert secret not in repr(kept)

    run(story())


def test_the_session_that_the_browser_had_ends_at_the_next_sign_in() -> None:
    async def story() -> None:
        place = await place_with_root()
        planted = await place.sessions.begin(ROOT, PROOF)
        fresh = await place.sessions.begin(ROOT, PROOF, planted)
        assert fresh != planted
        assert await place.sessions.find(planted) is None
        assert await place.sessions.find(fresh) is not None

    run(story())


def test_a_factor_that_was_shown_gives_another_secret_but_no_more_time() -> None:
    async def story() -> None:
        place = await place_with_root()
        secret = await place.sessions.begin(ROOT, PROOF)
        place.now += 1000
        renewed = await place.sessions.renew(secret)
        assert await place.sessions.find(secret) is None
        found = await place.sessions.find(renewed)
        assert found is not None
        assert found.fresh_until == NOW + 1300
        assert found.record.signed_in_at == NOW
        with pytest.raises(SessionOver):
            await place.sessions.renew(secret)

    run(story())


def test_two_renewals_at_once_leave_one_session() -> None:
    async def story() -> None:
        place = await place_with_root()
        secret = await place.sessions.begin(ROOT, PROOF)
        results = await asyncio.gather(
            *(place.sessions.renew(secret) for _ in range(2)), return_exceptions=True
        )
        assert sum(isinstance(one, SessionOver) for one in results) == 1
        assert len(await place.sessions.of_user(ROOT.email)) == 1

    run(story())


def test_nobody_is_signed_in_whose_record_is_gone() -> None:
    async def story() -> None:
        place = await place_with_root()
        await place.store.records.remove_portal_user(ROOT.email, NOTED)
        with pytest.raises(SessionOver):
            await place.sessions.begin(ROOT, PROOF)

    run(story())


def test_use_keeps_a_session_alive_and_only_its_whole_time_ends_it() -> None:
    async def story() -> None:
        place = await place_with_root()
        secret = await place.sessions.begin(ROOT, PROOF)
        end = NOW + OF_OPERATORS.whole
        while place.now + 1700 < end:
            place.now += 1700
            assert await place.sessions.find(secret) is not None
        place.now = end
        assert await place.sessions.find(secret) is None
        assert await place.sessions.of_user(ROOT.email) == []

    run(story())


def test_a_use_survives_the_process_that_saw_it() -> None:
    async def story() -> None:
        place = await place_with_root()
        secret = await place.sessions.begin(ROOT, PROOF)
        place.now += 1700
        await place.sessions.find(secret)
        await place.sessions.write()
        place.now += 1700
        assert await place.another().find(secret) is not None

    run(story())


def test_another_process_ends_a_session_at_once() -> None:
    async def story() -> None:
        place = await place_with_root()
        secret = await place.sessions.begin(ROOT, PROOF)
        assert await place.sessions.find(secret) is not None
        await place.another().end_all(ROOT.email)
        assert await place.sessions.find(secret) is None

    run(story())


def test_a_user_ends_one_of_the_sessions_by_its_name() -> None:
    async def story() -> None:
        place = await place_with_root()
        first = await place.sessions.begin(ROOT, PROOF)
        second = await place.sessions.begin(ROOT, PROOF)
        found = await place.sessions.find(first)
        assert found is not None
        await place.sessions.end_one("else@mx.example", found.record.key)
        assert await place.sessions.find(first) is not None
        await place.sessions.end_one(ROOT.email, found.record.key)
        assert await place.sessions.find(first) is None
        assert await place.sessions.find(second) is not None
        await place.sessions.end(second)
        await place.sessions.end("nothing")
        assert await place.sessions.of_user(ROOT.email) == []

    run(story())


def test_a_user_has_a_number_of_sessions() -> None:
    async def story() -> None:
        place = await place_with_root()
        secrets = []
        for _ in range(MOST_OF_USER + 1):
            place.now += 1
            secrets.append(await place.sessions.begin(ROOT, PROOF))
        assert await place.sessions.find(secrets[0]) is None
        assert await place.sessions.find(secrets[1]) is not None
        assert len(await place.sessions.of_user(ROOT.email)) == MOST_OF_USER

    run(story())


def test_the_name_of_a_browser_is_kept_in_part_and_cannot_break_a_line() -> None:
    async def story() -> None:
        place = await place_with_root()
        await place.sessions.begin(
            ROOT, SignInProof((SignInFactor.PASSWORD,), "192.0.2.9", "a\r\n\x1b[1m" + "b" * 5000)
        )
        [record] = await place.sessions.of_user(ROOT.email)
        assert record.agent == "a[1m" + "b" * (LONGEST_AGENT - 4)

    run(story())


def test_sessions_that_are_over_are_removed_and_the_uses_written_in_a_round() -> None:
    async def story() -> None:
        place = await place_with_root()
        over = await place.sessions.begin(ROOT, PROOF)
        place.now += OF_ACCOUNTS.idle + 1
        used = await place.sessions.begin(ROOT, PROOF)
        place.now += 10
        assert await place.sessions.find(used) is not None
        clock_ends = asyncio.Event()

        async def wait(_event: asyncio.Event, seconds: float) -> None:
            assert seconds == WRITE_SECONDS
            clock_ends.set()
            await asyncio.Event().wait()

        sessions = place.sessions
        sessions._rounds = Rounds(Lines(), WorkWord.PORTAL_SESSIONS, wait)
        running = asyncio.create_task(sessions.run())
        await clock_ends.wait()
        kept = await place.store.sessions.sessions_of(ROOT.email)
        assert [one.used_at for one in kept] == [place.now]
        assert hash_session_secret(over) not in [one.id_hash for one in kept]
        place.now += 5
        assert await sessions.find(used) is not None
        running.cancel()
        await asyncio.wait([running])
        [kept_at_last] = await place.store.sessions.sessions_of(ROOT.email)
        assert kept_at_last.used_at == place.now

    run(story())


def test_a_store_that_fails_gets_the_uses_later(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        place = await place_with_root()
        secret = await place.sessions.begin(ROOT, PROOF)
        place.now += 10
        await place.sessions.find(secret)

        async def fail(_self: object, _uses: object) -> None:
            place.now += 1
            await place.sessions.find(secret)  # meanwhile
            raise StoreError("the disk is full")

        with monkeypatch.context() as patch:
            patch.setattr(type(place.store.sessions), "record_session_uses", fail)
            with pytest.raises(StoreError):
                await place.sessions.write()
        await place.sessions.write()
        [record] = await place.store.sessions.sessions_of(ROOT.email)
        assert record.used_at == NOW + 11

    run(story())


def test_many_uses_are_written_by_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        place = await place_with_root()
        sizes: list[int] = []

        async def note(_self: object, uses: dict[bytes, float]) -> None:
            sizes.append(len(uses))

        monkeypatch.setattr(type(place.store.sessions), "record_session_uses", note)
        number = 2 * SLICE + 1
        place.sessions._unwritten = {one.to_bytes(32): NOW for one in range(number)}
        await place.sessions.write()
        await place.sessions.write()
        assert sizes == [SLICE, SLICE, 1]

    run(story())
