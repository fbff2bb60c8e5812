"""How many sessions there may be, and how many an address block may begin in a minute.

The sessions are counted in all, from one address block, and of strangers. One site can have 65,536
IPv6 blocks, so the blocks of a /48 have limits together too. These are wide, because a large
provider sends from many blocks.

Past a limit, a new connection gets 421 and is closed, which costs almost nothing. Running sessions
continue. Authenticated sessions do not count as strangers. When strangers fill their share, the
authorized hosts of hosted domains are still admitted. So a flood of mail never keeps out a primary
that wants its mail.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from restante.network.addresses import FIRST_IPV6_BLOCK, address_block, block_site
from restante.reception.reception_settings import ReceptionSettings
from restante.request_limits.failed_logins import RateLimit
from restante.smtp.session_end import SessionEnd
from restante.tenancy.model import IpAddress

_CROWDED = 0.8  # of the session slots
_SITE_SHARE = 2  # sites that together may take all slots of strangers
_SITE_BLOCKS = 8  # the connections in a minute of a site are those of so many blocks
_BLOCK_SHARE = 4  # blocks that together may take all slots of strangers


class ShedCause(StrEnum):
    """The limit that a new connection exceeded; it was answered 421."""

    SESSIONS = "sessions"
    SESSIONS_PER_BLOCK = "sessions-per-block"  # of addresses
    UNAUTHENTICATED_SESSIONS = "unauthenticated-sessions"
    CONNECTIONS_PER_MINUTE = "connections-per-minute"  # from one address block


@dataclass(frozen=True, slots=True)
class DoorLimits:
    """The operator's limits."""

    in_all: int
    of_strangers: int
    per_block: int
    per_minute: int  # sessions that one block may begin


def door_limits(settings: ReceptionSettings, possible: int) -> DoorLimits:
    """Take the limits out of the settings; `possible` is the number the system allows.

    Strangers never get the last tenth of all sessions, however small the total is. Where the system
    allows fewer than the operator, one block gets at most a quarter of the sessions of strangers.
    """
    in_all = min(settings.connections_limit, possible)
    of_strangers = min(settings.unauthenticated_limit, in_all - in_all // 10)
    per_block = settings.connections_per_block_limit
    if possible < settings.connections_limit:
        per_block = min(per_block, max(of_strangers // _BLOCK_SHARE, 1))
    return DoorLimits(in_all, of_strangers, per_block, settings.connections_per_minute)


class Doorkeeper:
    """Counts the sessions of all listeners."""

    def __init__(
        self,
        limits: DoorLimits,
        is_expected: Callable[[IpAddress], bool],
        clock: Callable[[], float],
        servers: Callable[[], int] = lambda: 1,
    ) -> None:
        """`is_expected` returns whether an address is an authorized host of some domain.

        It is called only where a limit would turn the address away. `clock` is monotonic, in
        seconds. Rates are divided by the number of `servers` that share the store.
        """
        self._limits = limits
        self._is_expected = is_expected
        self._clock = clock
        self._rate = RateLimit(limits.per_minute, servers)
        self._site_rate = RateLimit(limits.per_minute * _SITE_BLOCKS, servers)
        self._by_block: Counter[int] = Counter()
        self._by_site: Counter[int] = Counter()  # of IPv6
        self._none = asyncio.Event()
        self._none.set()
        self.sessions = 0
        self.strangers = 0
        # sessions since the start, by the end, and whether it was within content
        self.ended: Counter[tuple[str, ...]] = Counter()
        self.shed: Counter[ShedCause] = Counter()  # connections turned away since the start
        self._shed: Counter[ShedCause] = Counter()  # those since `take_shed`

    @property
    def limits(self) -> DoorLimits:
        """The limits that apply."""
        return self._limits

    def set_limits(self, limits: DoorLimits) -> None:
        """Apply other limits from now on; the counts stay."""
        self._limits = limits
        self._rate.per_minute = limits.per_minute
        self._site_rate.per_minute = limits.per_minute * _SITE_BLOCKS

    def refusal(self, address: IpAddress) -> ShedCause | None:
        """Return the limit by which one more session from there is not served; None if it is.

        Only connections that pass every other limit count against the limit per minute.
        """
        block, limits = address_block(address), self._limits
        site = block_site(block) if block >= FIRST_IPV6_BLOCK else None
        if self.sessions >= limits.in_all:
            cause = ShedCause.SESSIONS
        elif self._by_block[block] >= limits.per_block or (
            site is not None and self._is_full(site) and not self._is_expected(address)
        ):
            cause = ShedCause.SESSIONS_PER_BLOCK
        elif self.strangers >= limits.of_strangers and not self._is_expected(address):
            cause = ShedCause.UNAUTHENTICATED_SESSIONS
        elif self._comes_too_often(block, site) and not self._is_expected(address):
            cause = ShedCause.CONNECTIONS_PER_MINUTE
        else:
            return None
        self.shed[cause] += 1
        self._shed[cause] += 1
        return cause

    def _is_full(self, site: int) -> bool:
        limits = self._limits
        return self._by_site[site] >= max(limits.of_strangers // _SITE_SHARE, limits.per_block)

    def _comes_too_often(self, block: int, site: int | None) -> bool:
        """Count a connection against the limits of a minute."""
        now = self._clock()
        if site is None:
            return not self._rate.allows(block, now)
        if not (self._site_rate.has_left(site, now) and self._rate.allows(block, now)):
            return True
        return not self._site_rate.allows(site, now)

    @property
    def is_crowded(self) -> bool:
        """Most session slots are taken, of all or of those for strangers."""
        limits = self._limits
        return (
            self.sessions > _CROWDED * limits.in_all
            or self.strangers > _CROWDED * limits.of_strangers
        )

    def must_hurry(self, address: IpAddress) -> bool:
        """Return whether a stranger's session from there gets less time now.

        It does while sessions are crowded, unless the address is an authorized host.
        """
        return self.is_crowded and not self._is_expected(address)

    def entered(self, address: IpAddress) -> None:
        """Count a session that begins, as a stranger's."""
        self.sessions += 1
        self.strangers += 1
        block = address_block(address)
        self._by_block[block] += 1
        if block >= FIRST_IPV6_BLOCK:
            self._by_site[block_site(block)] += 1
        self._none.clear()

    def authenticated(self) -> None:
        """Count one session less as a stranger's."""
        self.strangers -= 1

    def left(
        self, address: IpAddress, *, was_stranger: bool, end: SessionEnd, in_content: bool
    ) -> None:
        """Count a session that ended."""
        self.sessions -= 1
        self.strangers -= was_stranger
        self.ended[end, "true" if in_content else "false"] += 1
        block = address_block(address)
        self._by_block[block] -= 1
        if not self._by_block[block]:
            del self._by_block[block]
        if block >= FIRST_IPV6_BLOCK:
            site = block_site(block)
            self._by_site[site] -= 1
            if not self._by_site[site]:
                del self._by_site[site]
        if not self.sessions:
            self._none.set()

    def take_shed(self) -> Counter[ShedCause]:
        """Return the connections turned away since the last call, by the limit."""
        shed, self._shed = self._shed, Counter()
        return shed

    async def until_none(self) -> None:
        """Wait until no session is left."""
        await self._none.wait()
