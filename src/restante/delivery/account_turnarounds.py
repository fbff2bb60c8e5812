"""The turnarounds of this process, at most one for each account (RFC 2645).

A second one is refused while the first moves mail. If the first has not moved anything for a
minute, it is ended for the second. So a client that has restarted does not wait for our limits.

Each goes on where the last one stopped (turnaround_order.py).

Drains take no room from turnarounds: these have as many slots of their own, one for an account. A
drain can wait for its turn, and a client that has asked on its own connection cannot.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from restante.delivery.cannot_start import CannotStart, TurnaroundBusy
from restante.delivery.client_turnaround import ClientTurnaround, turnaround_name
from restante.delivery.delivery_context import DeliveryContext
from restante.delivery.turnaround_order import TurnaroundOrder
from restante.delivery.turnaround_part import TurnaroundPart
from restante.store.store_errors import StoreError
from restante.tenancy.actor import Actor, ActorKind
from restante.tenancy.model import HostedDomain, IpAddress, Login

IDLE_SECONDS: Final = 60.0  # without a reply and without anything sent: the client may be gone
_AT_ONCE: Final = 25  # leases: they share a sync
_OVER_SECONDS: Final = 10.0  # for one that was ended to be over

OpenPart = Callable[[HostedDomain, str, str, int], Awaitable[TurnaroundPart]]


class AccountTurnarounds:
    """Prepares turnarounds, and knows those that run."""

    def __init__(
        self,
        context: DeliveryContext,
        tasks: asyncio.TaskGroup,
        check: Callable[[Sequence[HostedDomain]], None],
        open_part: OpenPart,
    ) -> None:
        """`check` raises CannotStart or TurnaroundBusy, and changes nothing.

        `open_part` takes the lease of a domain, for a name, a requester and a release. It ends a
        drain that has it.
        """
        self._context = context
        self._tasks = tasks
        self._check = check
        self._open_part = open_part
        self._running: dict[str, ClientTurnaround] = {}  # by account
        self._order = TurnaroundOrder()

    async def turn(
        self, domains: Sequence[HostedDomain], login: Login, address: IpAddress, release: int
    ) -> ClientTurnaround:
        """Take the leases. Raises TurnaroundBusy, CannotStart or StoreError.

        No drain is ended before everything is decided that can be known before.
        """
        domains = self._order.in_turn(login.account, domains)
        self._check_room(login.account)
        self._check(domains)
        await self._end_idle(login.account)
        name = turnaround_name(login, address)
        turnaround = ClientTurnaround(login, name, self._context, self._tasks, self._over)
        self._running[login.account] = turnaround
        requested_by = Actor(ActorKind.LOGIN, login.user).text
        try:
            for first in range(0, len(domains), _AT_ONCE):
                opening = [
                    self._open_part(domain, name, requested_by, release)
                    for domain in domains[first : first + _AT_ONCE]
                ]
                await self._add_all(turnaround, opening)
        except (CannotStart, TurnaroundBusy, StoreError) as error:
            turnaround.call_off(str(error))
            raise
        except BaseException:
            turnaround.call_off("internal error")
            raise
        return turnaround

    def _check_room(self, account: str) -> None:
        others = len(self._running.keys() - {account})
        if others >= self._context.settings.drains_limit:
            raise CannotStart("as many turnarounds as are allowed are running")

    async def _add_all(
        self, turnaround: ClientTurnaround, opening: Sequence[Awaitable[TurnaroundPart]]
    ) -> None:
        """Add the parts that could be opened. Raises the error of another one."""
        failure: BaseException | None = None
        for opened in await asyncio.gather(*opening, return_exceptions=True):
            if isinstance(opened, BaseException):
                failure = opened
            else:
                opened.begin_behind(self._order.behind(opened.lease.domain_id))
                turnaround.add(opened)
        if failure is not None:
            raise failure

    async def _end_idle(self, account: str) -> None:
        """Raise TurnaroundBusy unless the account has none, or one that can be ended."""
        present = self._running.get(account)
        if present is None:
            return
        if present.seconds_still < IDLE_SECONDS:
            raise TurnaroundBusy
        present.abort("the client has asked again, on another connection")
        await self._context.clocks.wait(present.over, _OVER_SECONDS)
        if account in self._running:
            raise TurnaroundBusy

    def _over(self, turnaround: ClientTurnaround) -> None:
        account = turnaround.login.account
        last, tried = turnaround.last_domain, turnaround.last_tried
        self._order.ended(account, last, tried, is_whole=turnaround.is_whole)
        if self._running.get(account) is turnaround:
            del self._running[account]
