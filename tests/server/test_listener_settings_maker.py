from types import SimpleNamespace
from typing import cast

import pytest

from restante.config.listen_settings import Listen
from restante.config.schema import Config
from restante.config.server_certificates import ServerIdentity
from restante.server.listener_settings_maker import ListenerSettingsMaker, MakeSettings
from restante.server.session_settings_maker import SessionSettingsMaker


@pytest.mark.parametrize(
    ("service", "maker"),
    [("mx", "of smtp"), ("odmr", "of smtp"), ("web", "of http"), ("acme", "of http")],
)
def test_the_service_decides_who_makes_the_settings(service: str, maker: str) -> None:
    smtp = cast("SessionSettingsMaker", SimpleNamespace(settings=lambda *_: "of smtp"))
    http = cast("MakeSettings", lambda *_: "of http")
    listen = Listen.model_validate({"service": service, "address": "127.0.0.1:2525"})
    made = ListenerSettingsMaker(smtp, http).settings(
        cast("Config", None), listen, cast("ServerIdentity", None)
    )
    assert str(made) == maker
