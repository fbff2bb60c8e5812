"""The port of a store for the sessions of portal users.

Part of the contract in interface.py, whose rules hold here. Sessions are no records: they have no
change number and no entry in the audit trail. Each process reads them when it needs them.

A session is removed with its user, and with a change of the user's stamp (`PortalUser.stamp`), in
the same transaction (`RecordStore`).
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from restante.tenancy.session_record import SessionRecord


class SessionStore(Protocol):
    """Sessions by the hash of their secret."""

    async def begin_session(
        self, session: SessionRecord, most: int, replaced: bytes | None = None
    ) -> None:
        """Add a session, in the place of another one if `replaced` is the hash of one.

        At most `most` sessions of the user are kept; the ones that were not used for longest go.
        Raises Conflict if the user does not exist, or `replaced` is no session of the user.
        """

    async def session(self, id_hash: bytes) -> SessionRecord | None:
        """Return a session, whether or not its time is over."""

    async def sessions_of(self, email: str) -> Sequence[SessionRecord]:
        """Return the sessions of a user, the last used first."""

    async def record_session_uses(self, uses: Mapping[bytes, float]) -> None:
        """Keep the Unix times of last uses. An earlier time than the one kept is ignored.

        Sessions that are not there are ignored.
        """

    async def end_sessions(self, id_hashes: Sequence[bytes]) -> None:
        """Remove sessions. Those that are not there are ignored."""

    async def end_sessions_of(self, email: str) -> None:
        """Remove all sessions of a user."""

    async def trim_sessions(self, used_before: float, limit: int) -> int:
        """Remove sessions without a use since a time, at most `limit`; return how many."""
