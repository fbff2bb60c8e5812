"""Names of servers."""

import pytest

from restante_client.client_failure import ClientExit, ClientFailure
from restante_client.endpoints import read_endpoint


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mx.example", ("mx.example", 366)),
        ("mx.example:25", ("mx.example", 25)),
        ("192.0.2.1:25", ("192.0.2.1", 25)),
        ("2001:db8::1", ("2001:db8::1", 366)),
        ("[2001:db8::1]", ("2001:db8::1", 366)),
        ("[2001:db8::1]:25", ("2001:db8::1", 25)),
    ],
)
def test_a_name_with_or_without_a_port(text: str, expected: tuple[str, int]) -> None:
    assert read_endpoint(text, 366) == expected


@pytest.mark.parametrize(
    "text", ["", ":25", "a b", "mx:0", "mx:65536", "mx:x", "mx:\u0661", "[]:1"]
)
def test_what_is_no_name(text: str) -> None:
    with pytest.raises(ClientFailure, match="write HOST or HOST:PORT") as caught:
        read_endpoint(text, 366)
    assert caught.value.code is ClientExit.USAGE
