"""Secrets that a server repeats: known again in any spelling, and in any reply."""

from __future__ import annotations

import base64
from typing import Final
from urllib.parse import quote

import pytest

from restante.smtp.client_auth import ClientLogin, plain_response, secrets_of
from restante.smtp.peer_replies import ReplyReader
from restante.smtp.protocol_errors import PeerBroke

LOGIN: Final = ClientLogin("mx2", "sesame open-ö")
PLAIN: Final = base64.b64encode(plain_response(LOGIN))
PASSWORD: Final = LOGIN.password.encode()
SPELLINGS: Final = [
    PLAIN,
    PLAIN[:12],
    PLAIN.upper(),
    PLAIN.lower(),
    PLAIN.hex().encode(),
    b" ".join(PLAIN[at : at + 5] for at in range(0, len(PLAIN), 5)),
    PASSWORD,
    PASSWORD.hex().upper().encode(),
    quote(PASSWORD).encode(),
    base64.b64encode(PASSWORD),
]


def broken(reply: bytes) -> str:
    """Return the text of the error that a reply raises."""
    reader = ReplyReader(secrets_of(LOGIN))
    reader.receive(reply)
    with pytest.raises(PeerBroke) as caught:
        reader.next_reply()
    return str(caught.value)


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize(
    ("reply", "shown"),
    [
        (b"503 5.5.1 first said: %b\r\n", "503 5.5.1"),
        (b"421-4.7.0 too many\r\n421 of %b\r\n", "421 4.7.0"),
        (b"251 %b\r\n", "251"),
    ],
)
def test_any_reply_that_repeats_our_login_is_shown_without_its_words(
    spelling: bytes, reply: bytes, shown: str
) -> None:
    reader = ReplyReader(secrets_of(LOGIN))
    reader.receive(reply % spelling)
    found = reader.next_reply()
    assert found is not None
    assert found.text == shown


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_an_unreadable_reply_that_repeats_our_login_is_not_shown(spelling: bytes) -> None:
    hidden = "'(not shown: it repeats our login)'"
    assert broken(b"what is %b\r\n" % spelling) == f"no SMTP reply: {hidden}"
    mixed = broken(b"250-%b\r\n535 no\r\n" % spelling)
    assert mixed == f"a reply of several lines changes from 250 to 535: {hidden}"


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_reply_that_has_not_ended_is_not_shown_either(spelling: bytes) -> None:
    reader = ReplyReader(secrets_of(LOGIN))
    reader.receive(b"535-no\r\n535 " + spelling)
    assert reader.next_reply() is None
    assert reader.unread == "(not shown: it repeats our login)"


def test_other_words_are_shown() -> None:
    reader = ReplyReader(secrets_of(LOGIN))
    reader.receive(b"535 5.7.8 no such user mx2\r\nwhat\r\n")
    found = reader.next_reply()
    assert found is not None
    assert found.text == "535 5.7.8 no such user mx2"
    with pytest.raises(PeerBroke, match="what"):
        reader.next_reply()


def test_without_a_login_nothing_is_withheld() -> None:
    assert not secrets_of(None).are_in(b"anything")
