from pathlib import Path

import pytest

from restante.config.load import load
from restante.config.schema import Config
from restante.config.server_certificates import read_identity
from restante.server.late_web import http_ground
from restante.server.web_settings_maker import (
    HttpSettingsMaker,
    WebListenerSettingsMaker,
    acme_settings,
)
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


def settings_of(config: Config) -> list[WebListenerSettings]:
    http = http_ground(RequestCounts(), lambda: 0.0)
    maker = HttpSettingsMaker(
        WebListenerSettingsMaker(gate_parts(), http.web),
        acme_settings(http.answers, http.acme, http.counts),
    )
    identity = read_identity(config)
    return [maker.settings(config, listen, identity) for listen in config.listen]


@pytest.mark.parametrize(("tls", "has_tls"), [("", False), ("tls = true", True)])
def test_a_web_listener_has_tls_if_it_says_so(tls: str, has_tls: bool, tmp_path: Path) -> None:
    listen = f'[[listen]]\nservice = "web"\naddress = "127.0.0.1:8025"\n{tls}'
    (settings,) = settings_of(config_with(tmp_path, listen))
    assert (settings.tls is not None) == has_tls


def test_it_knows_the_proxies(tmp_path: Path) -> None:
    listen = '[[listen]]\nservice = "web"\naddress = "0.0.0.0:8025"'
    config = config_with(tmp_path, listen, '[web]\ntrusted_proxies = ["10.0.0.5"]')
    (settings,) = settings_of(config)
    assert [str(each) for each in settings.proxies] == ["10.0.0.5/32"]


def test_an_acme_listener_has_no_tls(tmp_path: Path) -> None:
    listen = '[[listen]]\nservice = "acme"\naddress = "0.0.0.0:80"'
    (settings,) = settings_of(config_with(tmp_path, listen))
    assert settings.tls is None
    assert settings.connections.service is HttpService.ACME
