"""The settings of the `web` listeners."""

import ipaddress

import pytest
from pydantic import ValidationError

from restante.web.web_settings import WebSettings


def test_a_proxy_is_an_address_or_a_network() -> None:
    settings = WebSettings.model_validate({"trusted_proxies": ["192.0.2.10", "fd00::/64"]})
    assert settings.trusted_proxies == (
        ipaddress.ip_network("192.0.2.10/32"),
        ipaddress.ip_network("fd00::/64"),
    )


@pytest.mark.parametrize("value", ["proxy.example", "10.0.0.1/24", "", 7.5])
def test_nothing_else_is_a_proxy(value: object) -> None:
    with pytest.raises(ValidationError, match="neither an address nor a network"):
        WebSettings.model_validate({"trusted_proxies": [value]})
