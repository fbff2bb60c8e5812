"""The sessions port of the store in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from restante.store.memory.memory_state import MemoryState
from restante.store.store_errors import Conflict
from restante.tenancy.session_record import SessionRecord


class MemorySessions:
    """A `SessionStore`."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    async def begin_session(
        self, session: SessionRecord, most: int, replaced: bytes | None = None
    ) -> None:
        """Add a session, in the place of another one if `replaced` is the hash of one."""
        if session.email not in self._state.directory.portal_users:
            raise Conflict(f"portal user {session.email} does not exist")
        kept = self._state.sessions
        if replaced is not None:
            if replaced not in kept or kept[replaced].email != session.email:
                raise Conflict(f"the session of {session.email} has ended")
            del kept[replaced]
        kept[session.id_hash] = session
        for old in (await self.sessions_of(session.email))[most:]:
            del kept[old.id_hash]

    async def session(self, id_hash: bytes) -> SessionRecord | None:
        """Return a session."""
        return self._state.sessions.get(id_hash)

    async def sessions_of(self, email: str) -> Sequence[SessionRecord]:
        """Return the sessions of a user, the last used first."""
        found = [one for one in self._state.sessions.values() if one.email == email]
        return sorted(found, key=lambda one: (-one.used_at, -one.signed_in_at, one.id_hash))

    async def record_session_uses(self, uses: Mapping[bytes, float]) -> None:
        """Keep the times of last uses."""
        kept = self._state.sessions
        for id_hash, at in uses.items():
            if id_hash in kept:
                one = kept[id_hash]
                kept[id_hash] = replace(one, used_at=max(at, one.used_at))

    async def end_sessions(self, id_hashes: Sequence[bytes]) -> None:
        """Remove sessions."""
        for id_hash in id_hashes:
            self._state.sessions.pop(id_hash, None)

    async def end_sessions_of(self, email: str) -> None:
        """Remove all sessions of a user."""
        self._state.end_sessions(email)

    async def trim_sessions(self, used_before: float, limit: int) -> int:
        """Remove sessions without a use since a time."""
        old = [key for key, one in self._state.sessions.items() if one.used_at < used_before]
        await self.end_sessions(old[:limit])
        return len(old[:limit])
