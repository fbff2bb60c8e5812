"""Keys of webhooks, and signatures by Standard Webhooks."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.notices.webhook_signature import (
    KEY_PREFIX,
    MAX_KEY_OCTETS,
    MIN_KEY_OCTETS,
    key_octets,
    new_signing_key,
    signed_headers,
)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "whsec_",
        "whsec_AAAA",
        "whsec_!",
        "whsec_!MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ],
)
def test_a_key_that_is_none_is_refused_without_saying_it(key: str) -> None:
    with pytest.raises(ValueError, match=r"\A(?!.*AAAA)"):
        key_octets(key)


def test_a_new_key_is_never_the_same() -> None:
    assert len(key_octets(new_signing_key())) == 32
    assert new_signing_key() != new_signing_key()


# The example of the specification (github.com/standard-webhooks, and its libraries' tests).
KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_a_body_is_signed_as_the_specification_does() -> None:
    headers = signed_headers(
        KEY, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330.9, b'{"test": 2432232314}'
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@given(st.binary(max_size=200), st.integers(0, 199))
def test_another_body_key_time_or_name_has_another_signature(body: bytes, at: int) -> None:
    def signature(key: str, name: str, at: float, body: bytes) -> str:
        return signed_headers(key, name, at, body)["webhook-signature"]

    own = signature(KEY, "a", at, body)
    assert own == signature(KEY, "a", at + 0.5, body)
    for other in (
        signature(new_signing_key(), "a", at, body),
        signature(KEY, "b", at, body),
        signature(KEY, "a", at + 1, body),
        signature(KEY, "a", at, body + b"x"),
    ):
        assert own != other


@pytest.mark.parametrize(
    ("octets", "is_key"),
    [
        (MIN_KEY_OCTETS - 1, False),
        (MIN_KEY_OCTETS, True),
        (MAX_KEY_OCTETS, True),
        (MAX_KEY_OCTETS + 1, False),
    ],
)
def test_the_length_of_a_key_is_limited(octets: int, is_key: bool) -> None:
    key = KEY_PREFIX + b64encode(b"k" * octets).decode()
    if is_key:
        assert key_octets(key) == b"k" * octets
    else:
        with pytest.raises(ValueError, match="24 to 64 octets"):
            key_octets(key)
