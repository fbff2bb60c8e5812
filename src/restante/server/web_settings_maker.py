"""The settings of `web` listeners: the gate before the API, and a TLS context; of `acme` too."""

from dataclasses import dataclass

from restante.acme.challenge_answers import ChallengeAnswers
from restante.config.listen_settings import ACME, Listen
from restante.config.schema import Config
from restante.config.server_certificates import ServerIdentity
from restante.web.acme_responder import acme_responder
from restante.web.http_connections import HttpConnections
from restante.web.request_counts import RequestCounts
from restante.web.web_connection import WebListenerSettings
from restante.web.web_gate import GateParts, GateSettings, WebGate


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


def acme_settings(
    answers: ChallengeAnswers, connections: HttpConnections, counts: RequestCounts
) -> WebListenerSettings:
    """Return the settings of `acme` listeners. Anybody may ask, and most questions are 404."""
    return WebListenerSettings(acme_responder(answers), connections, counts, tls=None)


@dataclass(frozen=True, slots=True)
class HttpSettingsMaker:
    """Makes the settings of a listener of HTTP."""

    web: WebListenerSettingsMaker
    acme: WebListenerSettings  # the same at any time

    def settings(
        self, config: Config, listen: Listen, identity: ServerIdentity
    ) -> WebListenerSettings:
        """Return what the clients of a listener get under a configuration."""
        if listen.service == ACME:
            return self.acme
        return self.web.settings(config, listen, identity)
