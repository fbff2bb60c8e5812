"""The settings of a `web` listener: the gate before the API, and a TLS context."""

from dataclasses import dataclass

from restante.acme.challenge_answers import ChallengeAnswers
from restante.config.schema import ACME, WEB, Config, Listen
from restante.config.server_certificates import ServerIdentity
from restante.reception.descriptor_limit import http_connections_possible
from restante.reception.listeners import ListenerSettings
from restante.server.session_settings_maker import SessionSettingsMaker
from restante.web.acme_responder import acme_responder
from restante.web.http_connections import HttpConnections, HttpService
from restante.web.request_counts import RequestCounts
from restante.web.web_connection import WebListenerSettings
from restante.web.web_gate import GateParts, GateSettings, WebGate

_ACME_SHARE = 4  # of the HTTP connections; an authority makes a few
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


def acme_settings(answers: ChallengeAnswers, counts: RequestCounts) -> WebListenerSettings:
    """Return the settings of `acme` listeners. Anybody may ask, and most questions are 404."""
    limit = max(1, http_connections_possible() // _ACME_SHARE)
    connections = HttpConnections(HttpService.ACME, limit, max(1, limit // _BLOCK_SHARE))
    return WebListenerSettings(acme_responder(answers), connections, counts, tls=None)


@dataclass(frozen=True, slots=True)
class ListenerSettingsMaker:
    """Makes the settings of a listener of any service."""

    smtp: SessionSettingsMaker
    web: WebListenerSettingsMaker
    acme: WebListenerSettings  # the same at any time

    def settings(
        self, config: Config, listen: Listen, identity: ServerIdentity
    ) -> ListenerSettings:
        """Return what the clients of a listener get under a configuration."""
        if listen.service == ACME:
            return self.acme
        maker = self.web if listen.service == WEB else self.smtp
        return maker.settings(config, listen, identity)
