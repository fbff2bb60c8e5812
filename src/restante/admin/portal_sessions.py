"""The sessions of portal users: begun when factors were proven, found again, and ended.

A session is read from the store at each request. So 10,000 of them need no memory here, and one
that another process ended is over at once. Last uses are noted in memory and written once a minute,
all together. Limitation: the uses of the last minute before a crash are lost.

Each way to sign in ends here: `begin` takes a user who proved some factors from an address, and
returns the secret for the browser.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from restante.background.rounds import Rounds
from restante.store.live_directory import LiveDirectory
from restante.store.session_store import SessionStore
from restante.store.store_errors import Conflict, StoreError
from restante.tenancy.portal_user import PortalUser
from restante.tenancy.session_record import (
    OF_ACCOUNTS,
    SessionRecord,
    hash_session_secret,
    new_session_secret,
)
from restante.tenancy.sign_in_factor import Factors

WRITE_SECONDS: Final = 60.0
MOST_OF_USER: Final = 20  # sessions; the one that was not used for longest ends
LONGEST_AGENT: Final = 200  # characters
SLICE: Final = 500  # sessions in one transaction: mail waits for it


class SessionOver(Exception):  # noqa: N818
    """The session, or its user, is not there any more."""


@dataclass(frozen=True, slots=True)
class SignInProof:
    """Shown by somebody who signs in."""

    factors: Factors  # the user reads them in the list of sessions
    address: str  # of the client
    agent: str = ""  # the browser's name for itself
    proved_at: float | None = None  # when a factor was shown: Unix time; None: just now


@dataclass(frozen=True, slots=True)
class FoundSession:
    """A session that is good, and its user as it is now recorded."""

    record: SessionRecord
    user: PortalUser
    fresh_until: float  # Unix time


class PortalSessions:
    """All sessions. Belongs to the event loop."""

    def __init__(
        self,
        store: SessionStore,
        directory: LiveDirectory,
        rounds: Rounds,
        now: Callable[[], float],
    ) -> None:
        """`now` is Unix time."""
        self._store = store
        self._directory = directory
        self._rounds = rounds
        self._now = now
        self._unwritten: dict[bytes, float] = {}

    async def begin(self, user: PortalUser, proof: SignInProof, before: str = "") -> str:
        """Begin a session; return its secret, for the browser alone.

        `user` is the record whose factors were proven. `before` is the secret that the browser had:
        its session ends. Raises SessionOver if the user was removed, StoreError.
        """
        secret, now = new_session_secret(), self._now()
        await self.end(before)
        agent = "".join(one for one in proof.agent if one.isprintable())[:LONGEST_AGENT]
        record = SessionRecord(
            _known_hash(secret),
            user.email,
            user.stamp,
            proof.factors,
            proof.address,
            agent,
            signed_in_at=now,
            proved_at=now if proof.proved_at is None else min(now, proof.proved_at),
            used_at=now,
        )
        await self._put(record)
        return secret

    async def renew(self, secret: str) -> str:
        """Note that a factor was shown just now; return the secret that is good from now on.

        The session keeps its beginning. Raises SessionOver, StoreError.
        """
        found = await self.find(secret)
        if found is None:
            raise SessionOver
        renewed, now = new_session_secret(), self._now()
        record = replace(found.record, id_hash=_known_hash(renewed), proved_at=now, used_at=now)
        await self._put(record, found.record.id_hash)
        return renewed

    async def find(self, secret: str, *, is_use: bool = True) -> FoundSession | None:
        """Return the session of a secret, and note its use; None if there is none that is good.

        Without `is_use` the person did nothing, and the session may end. Raises StoreError.
        """
        key = hash_session_secret(secret)
        record = await self._store.session(key) if key is not None else None
        if record is None:
            return None
        record, now = self._as_used(record), self._now()
        user = self._directory.now.portal_users.get(record.email)
        if user is None or not record.is_of(user, now):
            return None
        if is_use:
            self._unwritten[record.id_hash] = now
        return FoundSession(record, user, record.fresh_until(now))

    async def of_user(self, email: str) -> Sequence[SessionRecord]:
        """Return the sessions of a user that are good, the last used first. Raises StoreError."""
        user, now = self._directory.now.portal_users.get(email), self._now()
        if user is None:
            return []
        found = [self._as_used(one) for one in await self._store.sessions_of(email)]
        return [one for one in found if one.is_of(user, now)]

    async def end(self, secret: str) -> None:
        """End the session of a secret, if there is one. Raises StoreError."""
        key = hash_session_secret(secret)
        if key is not None:
            self._unwritten.pop(key, None)
            await self._store.end_sessions([key])

    async def end_one(self, email: str, key: str) -> bool:
        """End a session of a user by its name in the list; False if there is none.

        Raises StoreError.
        """
        found = [one.id_hash for one in await self._store.sessions_of(email) if one.key == key]
        for id_hash in found:
            self._unwritten.pop(id_hash, None)
        await self._store.end_sessions(found)
        return bool(found)

    async def end_all(self, email: str) -> None:
        """Sign a user out everywhere. Raises StoreError."""
        await self._store.end_sessions_of(email)

    async def run(self) -> None:
        """Write the last uses once a minute and at the end, and remove sessions that are over."""
        try:
            await self._rounds.run_rounds(self._round)
        finally:
            with suppress(StoreError):
                await self.write()

    async def _round(self) -> float:
        await self.write()
        while await self._store.trim_sessions(self._now() - OF_ACCOUNTS.idle, SLICE) == SLICE:
            pass
        return WRITE_SECONDS

    async def write(self) -> None:
        """Write the uses since the last time. Raises StoreError; then they are kept."""
        while self._unwritten:
            uses = dict(islice(self._unwritten.items(), SLICE))
            await self._store.record_session_uses(uses)
            for key, at in uses.items():
                if self._unwritten.get(key) == at:  # not used again meanwhile
                    del self._unwritten[key]

    def _as_used(self, record: SessionRecord) -> SessionRecord:
        used_at = max(record.used_at, self._unwritten.get(record.id_hash, 0.0))
        return replace(record, used_at=used_at)

    async def _put(self, record: SessionRecord, replaced: bytes | None = None) -> None:
        try:
            await self._store.begin_session(record, MOST_OF_USER, replaced)
        except Conflict:
            raise SessionOver from None


def _known_hash(secret: str) -> bytes:
    key = hash_session_secret(secret)
    assert key is not None
    return key
