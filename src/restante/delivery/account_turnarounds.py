"""The turnarounds of this process, at most one for each account (RFC 2645).

A second one is refused while the first moves mail. If the first has not moved anything for a
minute, it is ended for the second. So a client that has restarted does not wait for our limits.

Each goes on where the last one stopped, whichever process had it (kept_places.py). Another process
is asked to end one that has not moved anything (`asked_again`).

Drains take no room from turnarounds: these have as many slots of their own, one for an account. A
drain can wait for its turn, and a client that has asked on its own connection cannot.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final

from restante.delivery.cannot_start import CannotStart, TurnaroundBusy
from restante.delivery.client_turnaround import ClientTurnaround, turnaround_name
from restante.delivery.delivery_context import DeliveryContext
from restante.delivery.kept_places import KeptPlaces
from restante.delivery.turnaround_order import TriedMail, TurnPlaces
from restante.delivery.turnaround_part import TurnaroundPart
from restante.store.store_errors import StoreError
from restante.telemetry.events import InternalError
from restante.tenancy.actor import Actor, ActorKind
from restante.tenancy.model import HostedDomain, IpAddress, Login

IDLE_SECONDS: Final = 60.0  # without a reply and without anything sent: the client may be gone
_AT_ONCE: Final = 25  # leases: they share a sync
_OVER_SECONDS: Final = 10.0  # for one that was ended to be over

_ASKED_AGAIN: Final = "the client has asked again, on another connection"

OpenPart = Callable[[HostedDomain, str, str, int], Awaitable[TurnaroundPart]]


class AccountTurnarounds:
    """Prepares turnarounds, and knows those that run."""

    def __init__(
        self,
        context: DeliveryContext,
        tasks: asyncio.TaskGroup,
        check: Callable[[Sequence[HostedDomain]], Awaitable[None]],
        open_part: OpenPart,
    ) -> None:
        """`check` raises CannotStart or TurnaroundBusy, and ends no drain to a destination.

        `open_part` takes the lease of a domain, for a name, a requester and a release. It ends a
        drain that has it.
        """
        self._context = context
        self._tasks = tasks
        self._check = check
        self._open_part = open_part
        self._running: dict[str, ClientTurnaround] = {}  # by account
        self._places = KeptPlaces(context.store.retention, context.log)
        self._keeping: dict[str, asyncio.Task[None]] = {}  # places, by account

    async def turn(
        self, domains: Sequence[HostedDomain], login: Login, address: IpAddress, release: int
    ) -> ClientTurnaround:
        """Take the leases. Raises TurnaroundBusy, CannotStart or StoreError.

        No drain is ended before everything is decided that can be known before.
        """
        await self._check(domains)
        await self._end_idle(login.account)
        places = await self._places_of(login.account, domains)
        if login.account in self._running:
            raise TurnaroundBusy
        if len(self._running) >= self._context.settings.drains_limit:
            raise CannotStart("as many turnarounds as are allowed are running")
        domains = places.in_turn(domains)
        name = turnaround_name(login, address)
        over = partial(self._over, places)
        turnaround = ClientTurnaround(login, name, self._context, self._tasks, over)
        self._running[login.account] = turnaround
        requested_by = Actor(ActorKind.LOGIN, login.user).text
        try:
            for first in range(0, len(domains), _AT_ONCE):
                opening = [
                    self._open_part(domain, name, requested_by, release)
                    for domain in domains[first : first + _AT_ONCE]
                ]
                await self._add_all(turnaround, opening, places)
        except (CannotStart, TurnaroundBusy, StoreError) as error:
            turnaround.call_off(str(error))
            raise
        except BaseException:
            turnaround.call_off("internal error")
            raise
        return turnaround

    async def _add_all(
        self,
        turnaround: ClientTurnaround,
        opening: Sequence[Awaitable[TurnaroundPart]],
        places: TurnPlaces,
    ) -> None:
        """Add the parts that could be opened. Raises the error of another one."""
        failure: BaseException | None = None
        for opened in await asyncio.gather(*opening, return_exceptions=True):
            if isinstance(opened, BaseException):
                failure = opened
            else:
                opened.begin_behind(places.behind(opened.lease.domain_id))
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
        present.abort(_ASKED_AGAIN)
        await self._context.clocks.wait(present.over, _OVER_SECONDS)
        if account in self._running:
            raise TurnaroundBusy

    async def _places_of(self, account: str, domains: Sequence[HostedDomain]) -> TurnPlaces:
        """Return the places of domains, once those of the last turnaround here are kept."""
        if (keeping := self._keeping.get(account)) is not None:
            await asyncio.wait([keeping])
        return await self._places.read([one.id for one in domains])

    def asked_again(self, account: str) -> None:
        """End the account's turnaround if it is idle: its client has asked another server."""
        present = self._running.get(account)
        if present is not None and present.seconds_still >= IDLE_SECONDS:
            present.abort(_ASKED_AGAIN)

    def _over(self, places: TurnPlaces, turnaround: ClientTurnaround) -> None:
        account = turnaround.login.account
        if self._running.get(account) is turnaround:
            del self._running[account]
        tried = turnaround.tried
        if any(tried.messages.values()) or tried.is_whole:
            self._keeping[account] = self._tasks.create_task(self._keep(account, places, tried))

    async def _keep(self, account: str, places: TurnPlaces, tried: TriedMail) -> None:
        try:
            await self._places.keep(places, tried)
        except Exception as error:  # noqa: BLE001  the boundary: it is no other account's
            self._context.log.publish(InternalError(error=error))
        finally:
            if self._keeping.get(account) is asyncio.current_task():
                del self._keeping[account]
