"""Reading a URL of HTTP."""

import pytest

from restante.network.web_url import web_url


@pytest.mark.parametrize(
    "text",
    ["", "127.0.0.1:4318", "http://", "http://:80", "http://a:0", "http://a:b/", "http://[::1"],
)
def test_other_text_is_none(text: str) -> None:
    assert web_url(text) is None


def test_a_url_has_parts() -> None:
    url = web_url("https://s3.example:9000/held?x")
    assert url is not None
    assert (url.hostname, url.port, url.path, url.query) == ("s3.example", 9000, "/held", "x")
