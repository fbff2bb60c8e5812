"""The turnarounds of this process, at most one for each account (RFC 2645).

A second one is refused while the first moves mail. If the first has not moved anything for a
minute, it is ended for the second. So a client that has restarted does not wait for our limits.

Each goes on where the last one stopped (turnaround_order.py).
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from restante.background.fair_slots import FairSlots
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
        slots: FairSlots,
        open_part: OpenPart,
    ) -> None:
        """`open_part` takes the lease of a domain, for a name, a requester and a release."""
        self._context = context
        self._tasks = tasks
        self._slots = slots
        self._open_part = open_part
        self._running: dict[str, ClientTurnaround] = {}  # by account
        self._order = TurnaroundOrder()

    async def turn(
        self, domains: Sequence[HostedDomain], login: Login, address: IpAddress, release: int
    ) -> ClientTurnaround:
        """Take the leases. Raises TurnaroundBusy, CannotStart or StoreError."""
        domains = self._order.in_turn(login.account, domains)
        await self._end_idle(login.account)
        if not self._slots.take_now(login.account):
            raise CannotStart("as many drains as are allowed are running")
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
            self._slots.give_back(account)
