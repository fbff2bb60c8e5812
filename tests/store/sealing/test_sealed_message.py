"""Messages are sealed and opened whole; mail of earlier versions stays as it is."""

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from restante.mail.envelope import Envelope
from restante.mail.message import ContentFile, FileSeal, HeldMessage, NewMessage
from restante.mail.sealed_size import sealed_file_octets
from restante.store.sealing.sealed_message import open_message, seal_message
from restante.tenancy.sealed_secrets import SealBroken

KEY = AESGCM(bytes(32))
SALT = b"salt"
SMALL = NewMessage(7, 3, Envelope("", ("a@b.example",)), 1.0, b"Subject: secret\r\n\r\n")
FILE = ContentFile("f", 100_000, 5, FileSeal(b"\2" * 32))


def as_held(message: NewMessage) -> HeldMessage:
    """Return a message as a store gives it back."""
    return HeldMessage(
        message.number,
        message.domain_id,
        message.envelope,
        message.received_at,
        message.head,
        message.file,
        is_sealed=message.is_sealed,
    )


def test_a_small_message_comes_back() -> None:
    sealed = seal_message(SMALL, KEY, SALT)
    assert sealed.is_sealed
    assert b"secret" not in sealed.head
    assert sealed.size == SMALL.size
    assert open_message(as_held(sealed), KEY) == as_held(SMALL)


def test_a_large_message_comes_back_with_the_key_of_its_file() -> None:
    large = SMALL._replace(file=FILE)
    sealed = seal_message(large, KEY, SALT)
    assert sealed.file is not None
    assert sealed.file.seal is None
    assert sealed.file.size == sealed_file_octets(FILE.size)
    assert sealed.size == large.size
    opened = open_message(as_held(sealed), KEY)
    assert opened == as_held(large)
    assert opened.file is not None
    assert opened.file.seal == FileSeal(b"\2" * 32, 7, 3)


def test_the_content_of_one_message_is_no_good_in_another() -> None:
    sealed = as_held(seal_message(SMALL, KEY, SALT))
    with pytest.raises(SealBroken):
        open_message(sealed._replace(number=8), KEY)
    with pytest.raises(SealBroken):
        open_message(sealed, AESGCM(b"\1" * 32))


def test_a_message_whose_file_is_not_sealed_stays_as_it_is() -> None:
    plain = SMALL._replace(file=ContentFile("f", 100_000, 5))
    assert seal_message(plain, KEY, SALT) is plain
