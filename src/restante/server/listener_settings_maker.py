"""The settings of a listener of any service."""

from collections.abc import Callable
from dataclasses import dataclass

from restante.config.listen_settings import Listen
from restante.config.schema import Config
from restante.config.server_certificates import ServerIdentity
from restante.reception.listeners import ListenerSettings
from restante.server.session_settings_maker import SessionSettingsMaker

MakeSettings = Callable[[Config, Listen, ServerIdentity], ListenerSettings]


@dataclass(frozen=True, slots=True)
class ListenerSettingsMaker:
    """Makes the settings of a listener, at the start and at each reload."""

    smtp: SessionSettingsMaker
    http: MakeSettings  # once its code is loaded

    def settings(
        self, config: Config, listen: Listen, identity: ServerIdentity
    ) -> ListenerSettings:
        """Return what the clients of a listener get under a configuration."""
        if listen.is_http:
            return self.http(config, listen, identity)
        return self.smtp.settings(config, listen, identity)
