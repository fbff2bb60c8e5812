from typing import Any

import pytest

from restante.config.portal_url import portal_url
from tests.config.test_schema import config

MX = {"service": "mx", "address": "127.0.0.1:25"}
PLAIN = {"service": "web", "address": "127.0.0.1:8025"}
TLS = {"service": "web", "address": "0.0.0.0:8443", "tls": True}
USUAL = {"service": "web", "address": "[::]:443", "tls": True}


@pytest.mark.parametrize(
    ("listen", "web", "url"),
    [
        ([MX], {}, ""),
        ([MX, PLAIN, TLS], {}, "http://127.0.0.1:8025"),
        ([TLS], {}, "https://mx2.example:8443"),
        ([USUAL], {}, "https://mx2.example"),
        ([PLAIN], {"url": "https://portal.example.net"}, "https://portal.example.net"),
    ],
    ids=["no web listener", "plain", "TLS", "the usual port", "set"],
)
def test_the_portal_is_where_the_file_says(
    listen: list[dict[str, Any]], web: dict[str, Any], url: str
) -> None:
    assert portal_url(config(listen=listen, web=web)) == url


@pytest.mark.parametrize(
    "url", ["portal.example", "https://a.example/b", "javascript:x", "https://a b"]
)
def test_a_url_has_no_path(url: str) -> None:
    with pytest.raises(ValueError, match="is not the beginning of a URL"):
        config(listen=[PLAIN], web={"url": url})
