"""Messages as they are sealed for a store, and opened again. Pure.

Small ones are made field by field: `_replace` takes longer than a cipher does for 4 KiB.
"""

from dataclasses import replace

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from restante.mail.message import ContentFile, FileSeal, HeldMessage, NewMessage
from restante.mail.sealed_size import plain_file_octets, sealed_file_octets
from restante.store.sealing.sealed_form import open_head, seal_head


def seal_message(message: NewMessage, key: AESGCM, salt: bytes) -> NewMessage:
    """Return a message as it is stored. One whose file is not sealed stays as it is.

    `salt` is random, and new for each message (`sealed_form.SALT` octets).
    """
    file = message.file
    if file is None:
        head = seal_head(key, message.number, message.head, salt=salt)
        return NewMessage._make((*message[:4], head, *message[5:-1], True))
    if file.seal is None:
        return message
    head = seal_head(key, message.number, message.head, file.seal.key, salt=salt)
    return message._replace(head=head, file=as_stored(file), is_sealed=True)


def open_message(message: HeldMessage, key: AESGCM) -> HeldMessage:
    """Return a sealed message as it was received. Raises SealBroken."""
    stored = message.file
    has_file = stored is not None
    head, file_key = open_head(key, message.number, message.head, has_file=has_file)
    if stored is None:
        return HeldMessage._make((*message[:4], head, *message[5:-1], False))
    seal = FileSeal(file_key, message.number, message.domain_id)
    file = replace(stored, size=plain_file_octets(stored.size), seal=seal)
    return message._replace(head=head, file=file, is_sealed=False)


def as_stored(file: ContentFile) -> ContentFile:
    """Return a sealed file as the store knows it."""
    return replace(file, size=sealed_file_octets(file.size), seal=None)
