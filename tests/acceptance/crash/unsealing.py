"""Sealed content, opened by the description of its form and without the server's code."""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

IS_SEALED: Final = 1 << 32  # of the checksum of a head
_CHUNK: Final = 32 * 1024 + 16


def data_key(key_file: bytes, domain_id: int, sealed: bytes) -> AESGCM:
    """Open the key of a domain."""
    owner = f"content of domain {domain_id}".encode()
    return AESGCM(bytes.fromhex(AESGCM(key_file).decrypt(sealed[:12], sealed[12:], owner).decode()))


def content_of(key: AESGCM, number: int, head: bytes, file: bytes | None) -> bytes:
    """Open the content of a message. Raises InvalidTag."""
    name = number.to_bytes(8)
    bound = (b"restante head 1 " if file is None else b"restante head of a file 1 ") + name
    opened = key.decrypt(head[1:13], head[13:], bound)
    if file is None:
        return opened
    cipher, content = AESGCM(opened[:32]), opened[32:]
    for place, start in enumerate(range(0, len(file), _CHUNK)):
        is_last = start + _CHUNK >= len(file)
        nonce = place.to_bytes(11) + bytes([is_last])
        content += cipher.decrypt(nonce, file[start : start + _CHUNK], b"restante file 1")
    return content
