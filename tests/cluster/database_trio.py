"""A primary and two standbys. Each commit waits for one of these, whichever is first.

Each server names the two others as its synchronous standbys, so a promoted one waits for a standby
from its first commit on. A manager of the database chooses among both standbys: the one that has
more of the log has all that was ever answered. It takes the remaining one along, and rewinds the
former primary to a standby. That is `DatabaseTrio.fail_over` here.

Limitation: with one standby away as well as the primary, nobody could choose. A manager must not
promote then, and no fault here asks for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Final

from tests.postgres_cluster import PostgresCluster, PostgresStandby

NAMES: Final = ("db0", "db1", "db2")
_PATIENCE: Final = 30.0  # seconds
_PAUSE: Final = 0.05
_SETTINGS: Final = {
    "fsync": "on",
    "full_page_writes": "on",
    "wal_log_hints": "on",  # for pg_rewind
    "wal_keep_size": "256MB",
    "max_wal_size": "256MB",
    "max_connections": "200",  # forgotten ones included
    "autovacuum": "on",
    "wal_sender_timeout": "4s",
    "wal_receiver_timeout": "4s",
    "wal_retrieve_retry_interval": "200ms",
}


class DatabaseTrio:
    """Three servers, of which one is the primary."""

    def __init__(self, stack: ExitStack) -> None:
        """Start them; `stack` ends them."""
        self.primary = PostgresCluster(cluster_name=NAMES[0], **_settings(NAMES[0]))
        stack.callback(self.primary.stop)
        self.members: list[PostgresCluster] = [self.primary]
        for name in NAMES[1:]:
            standby = PostgresStandby(self.primary, name, **_settings(name))
            stack.callback(standby.stop)
            self.members.append(standby)
        asyncio.run(self.when_whole())

    @property
    def standbys(self) -> Sequence[PostgresCluster]:
        """The two that are no primary, by name."""
        return [one for one in self.members if one is not self.primary]

    async def when_whole(self) -> None:
        """Wait until both standbys follow the primary, so that each of them may be promoted."""
        question = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'quorum'"
        async with asyncio.timeout(_PATIENCE):
            while await self.primary.value(question) < len(NAMES) - 1:  # noqa: ASYNC110
                await asyncio.sleep(_PAUSE)

    async def fail_over(self) -> PostgresCluster:
        """Promote the right standby, take the other along, and return the former primary.

        The former primary has ended, or is frozen.
        """
        former, standbys = self.primary, self.standbys
        places = [await one.received() for one in standbys]
        chosen, other = standbys if places[0] >= places[1] else reversed(standbys)
        await other.follow(chosen)  # before: the former one gets no answer from it any more
        await chosen.promote()
        self.primary = chosen
        return former


def _settings(name: str) -> dict[str, str]:
    others = ", ".join(one for one in NAMES if one != name)
    return _SETTINGS | {"synchronous_standby_names": f"ANY 1 ({others})"}
