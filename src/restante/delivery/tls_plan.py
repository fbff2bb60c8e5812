"""How the hop to a destination is encrypted, and which peer is accepted (RFC 3207, RFC 7435)."""

import asyncio
import ssl
from dataclasses import dataclass

from restante.network.tls import TlsFailed, TlsLayer
from restante.network.tls_context import (
    dane_client_context,
    unverified_client_context,
    verifying_client_context,
)
from restante.network.tlsa import DaneCheck
from restante.tenancy.model import Destination, TlsUse


@dataclass(frozen=True, slots=True)
class TlsPlan:
    """The settings to begin TLS and to check the peer."""

    context: ssl.SSLContext
    peer_name: str
    key_pins: frozenset[str] = (
        frozenset()
    )  # hex SHA-256, lower case; empty where the certificate decides
    dane: DaneCheck | None = None

    def begin(self) -> TlsLayer:
        """Begin the handshake."""
        return TlsLayer(self.context, is_server=False, peer_name=self.peer_name)

    def check_peer(self, tls: TlsLayer) -> None:
        """Raise TlsFailed for a key that is not pinned, or that DANE does not accept.

        The handshake has checked other certificates.
        """
        if self.dane is not None and (fault := self.dane.fault(tls.peer_chain())):
            raise TlsFailed(f"DANE: {fault}")
        if self.key_pins and (key := tls.peer_key_sha256()) not in self.key_pins:
            raise TlsFailed(f"the destination's key is {key}, which is not pinned")


class TlsPlans:
    """Makes plans; destinations that are not verified share one context."""

    def __init__(self) -> None:
        self._unverified: ssl.SSLContext | None = None
        self._for_dane: ssl.SSLContext | None = None

    def dane_plan(self, check: DaneCheck) -> TlsPlan:
        """Return the plan for a host with TLSA records. It is asked for by their name (§8.1)."""
        self._for_dane = self._for_dane or dane_client_context()
        return TlsPlan(self._for_dane, check.hosts[0], dane=check)

    async def plan(self, destination: Destination) -> TlsPlan | None:
        """Return the plan, None for `off`. Raises OSError, also ssl.SSLError, for a bad CA file."""
        if destination.tls is TlsUse.OFF:
            return None
        if destination.tls is TlsUse.VERIFY and not destination.key_pins:
            # Read again each time, so that a replaced file takes effect.
            return TlsPlan(
                await asyncio.to_thread(
                    verifying_client_context, destination.ca_file, destination.ca_text
                ),
                destination.host,
            )
        is_pinned = destination.tls is TlsUse.VERIFY
        pins = (
            frozenset(pin.lower() for pin in destination.key_pins)
            if is_pinned
            else frozenset[str]()
        )
        self._unverified = self._unverified or unverified_client_context()
        return TlsPlan(self._unverified, destination.host, pins)
