"""The settings of a `web` listener: the gate before the API, and a TLS context."""

from dataclasses import dataclass

from restante.config.schema import WEB, Config, Listen
from restante.config.server_certificates import ServerIdentity
from restante.reception.descriptor_limit import http_connections_possible
from restante.reception.listeners import ListenerSettings
from restante.server.session_settings_maker import SessionSettingsMaker
from restante.web.http_connections import HttpConnections, HttpService
from restante.web.web_connection import WebListenerSettings
from restante.web.web_gate import GateParts, GateSettings, WebGate

_BLOCK_SHARE = 4  # one address block may have a quarter of the connections


def web_connections(gate: GateParts) -> HttpConnections:
    """Return the limits of the connections of all `web` listeners."""
    limit = http_connections_possible()
    return HttpConnections(
        HttpService.WEB,
        limit,
        max(1, limit // _BLOCK_SHARE),
        lambda block: gate.strangers.turns_away(block, gate.monotonic()),
    )


@dataclass(frozen=True, slots=True)
class WebListenerSettingsMaker:
    """Makes the settings of a `web` listener, at the start and at each reload."""

    gate: GateParts
    connections: HttpConnections

    def settings(
        self, config: Config, listen: Listen, identity: ServerIdentity
    ) -> WebListenerSettings:
        """Return what the connections of a listener get under a configuration."""
        proxies = config.web.trusted_proxies
        gate = WebGate(
            self.gate, GateSettings(proxies, is_tls=listen.tls, is_loopback=listen.is_loopback)
        )
        return WebListenerSettings(
            application=gate,
            connections=self.connections,
            counts=self.gate.counts,
            tls=identity.context(listen, config.tls) if listen.tls else None,
            proxies=proxies,
        )


@dataclass(frozen=True, slots=True)
class ListenerSettingsMaker:
    """Makes the settings of a listener of any service."""

    smtp: SessionSettingsMaker
    web: WebListenerSettingsMaker

    def settings(
        self, config: Config, listen: Listen, identity: ServerIdentity
    ) -> ListenerSettings:
        """Return what the clients of a listener get under a configuration."""
        maker = self.web if listen.service == WEB else self.smtp
        return maker.settings(config, listen, identity)
