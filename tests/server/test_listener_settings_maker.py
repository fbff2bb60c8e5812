"""The settings of `web` listeners, and of those beside them."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from restante.acme.challenge_answers import ChallengeAnswers
from restante.config.load import load
from restante.config.schema import Config
from restante.config.server_certificates import read_identity
from restante.reception.listeners import ListenerSettings
from restante.server.listener_settings_maker import (
    ListenerSettingsMaker,
    WebListenerSettingsMaker,
    acme_settings,
    web_connections,
)
from restante.server.session_settings_maker import SessionSettingsMaker
from restante.web.http_connections import HttpService
from restante.web.request_counts import RequestCounts
from restante.web.web_connection import WebListenerSettings
from tests.config.files import installed
from tests.web.gate_parts import gate_parts


def config_with(tmp_path: Path, listen: str, more: str = "") -> Config:
    path = installed(tmp_path)
    head, _, rest = path.read_text().partition("[[listen]]")
    path.write_text(f"{head}{listen}\n[tls]{rest.partition('[tls]')[2]}\n{more}")
    return load(path, {})


def settings_of(config: Config) -> list[ListenerSettings]:
    smtp = cast("SessionSettingsMaker", SimpleNamespace(settings=lambda *_: "of smtp"))
    web = WebListenerSettingsMaker(gate_parts(), web_connections(gate_parts()))
    maker = ListenerSettingsMaker(smtp, web, acme_settings(ChallengeAnswers(), RequestCounts()))
    identity = read_identity(config)
    return [maker.settings(config, listen, identity) for listen in config.listen]


@pytest.mark.parametrize(("tls", "has_tls"), [("", False), ("tls = true", True)])
def test_a_web_listener_has_tls_if_it_says_so(tls: str, has_tls: bool, tmp_path: Path) -> None:
    listen = f'[[listen]]\nservice = "web"\naddress = "127.0.0.1:8025"\n{tls}'
    (settings,) = settings_of(config_with(tmp_path, listen))
    assert isinstance(settings, WebListenerSettings)
    assert (settings.tls is not None) == has_tls


def test_it_knows_the_proxies(tmp_path: Path) -> None:
    listen = '[[listen]]\nservice = "web"\naddress = "0.0.0.0:8025"'
    config = config_with(tmp_path, listen, '[web]\ntrusted_proxies = ["10.0.0.5"]')
    (settings,) = settings_of(config)
    assert isinstance(settings, WebListenerSettings)
    assert [str(each) for each in settings.proxies] == ["10.0.0.5/32"]


def test_other_listeners_have_the_settings_of_smtp(tmp_path: Path) -> None:
    listen = '[[listen]]\nservice = "mx"\naddress = "127.0.0.1:2525"'
    assert str(settings_of(config_with(tmp_path, listen))[0]) == "of smtp"


def test_an_acme_listener_has_no_tls(tmp_path: Path) -> None:
    listen = '[[listen]]\nservice = "acme"\naddress = "0.0.0.0:80"'
    (settings,) = settings_of(config_with(tmp_path, listen))
    assert isinstance(settings, WebListenerSettings)
    assert settings.tls is None
    assert settings.connections.service is HttpService.ACME
