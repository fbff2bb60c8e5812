"""Tells when a login takes mail by ATRN from an address block for the first time.

A turnaround sends mail to the holder of a login. So its account is told about each new place.
The store keeps digests of the places, for all servers, and forgets them after about a year. After
that, the same place is told again.
"""

import hashlib
import ipaddress
from collections.abc import Callable, Coroutine
from typing import Final

from restante.network.addresses import peer_address, plain_address
from restante.store.live_directory import LiveDirectory
from restante.store.store_errors import StoreError
from restante.store.used_store import UsedStore
from restante.telemetry.event_bus import Log
from restante.telemetry.events import StoreFailed, TurnaroundFromNewPlace, TurnaroundGranted
from restante.telemetry.work_word import WorkWord
from restante.tenancy.model import IpAddress, Login

REMEMBERED_SECONDS: Final = 400 * 86400.0
_BITS: Final = {4: 24, 6: 48}  # of a place, by version


def network_place(address: IpAddress) -> str:
    """Return the network that counts as one place: a /24 of IPv4, a /48 of IPv6."""
    plain = plain_address(address)
    network = ipaddress.ip_network((plain, _BITS[plain.version]), strict=False)
    return str(network)


def place_digest(login: Login, place: str) -> bytes:
    """Return what the store keeps. A login that was removed and added has no places."""
    text = f"turnaround\0{login.user}\0{login.created_at!r}\0{place}"
    return hashlib.sha256(text.encode()).digest()


class TurnaroundPlaces:
    """Subscribes to granted turnarounds."""

    def __init__(
        self,
        used: UsedStore,
        directory: LiveDirectory,
        log: Log,
        now: Callable[[], float],
        spawn: Callable[[Coroutine[None, None, None]], object],
    ) -> None:
        """`now` is Unix time; `spawn` runs a task."""
        self._used = used
        self._directory = directory
        self._log = log
        self._now = now
        self._spawn = spawn

    def granted(self, event: TurnaroundGranted) -> None:
        """Note the place of a turnaround."""
        login = self._directory.now.logins.get(event.login)
        if login is not None:
            self._spawn(self._note(event, login))

    async def _note(self, event: TurnaroundGranted, login: Login) -> None:
        place = network_place(peer_address(event.peer))
        try:
            until = self._now() + REMEMBERED_SECONDS
            is_new = await self._used.use(place_digest(login, place), until)
        except StoreError as error:  # told rather once too often
            self._log.publish(StoreFailed(error=error, doing=WorkWord.USED_VALUES))
            is_new = True
        if is_new:
            self._log.publish(
                TurnaroundFromNewPlace(
                    account=event.account, login=event.login, peer=event.peer, block=place
                )
            )
