"""The sealed form of content. Pure but for the random octets of new keys and nonces.

A head is sealed whole, under the key of its domain:

    version │ nonce │ AES-256-GCM( the file's key, if there is a file; the head )

The nonce is the number of the message and four random octets. The number is bound in, and whether
there is a file. So no row can have the head of another.

A file has a key of its own, and is sealed in chunks, in the way of STREAM (Hoang, Reyhanitabar,
Rogaway and Vizár, 2015). The nonce of a chunk is its place and whether it is the last. So a file
that was cut, or whose chunks were put in another order, does not open. The key of a file is in the
heads of its messages and nowhere else. Several domains can thus have one file, each under its key.
"""

import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from restante.mail.sealed_size import CHUNK, FILE_KEY, HEAD_EXTRA, TAG
from restante.tenancy.sealed_secrets import SealBroken

KEY_BITS: Final = 256
_VERSION: Final = b"\1"
_NONCE: Final = 12
_SALT: Final = 4
_HEAD, _HEAD_OF_FILE, _CHUNK = (
    b"restante head 1 ",
    b"restante head of a file 1 ",
    b"restante file 1",
)
_SEALED_CHUNK: Final = CHUNK + TAG


def new_key() -> bytes:
    """Make a key for a domain or a file."""
    return AESGCM.generate_key(KEY_BITS)


def seal_head(key: AESGCM, number: int, head: bytes, file_key: bytes = b"") -> bytes:
    """Seal the head of a message, with the key of its file."""
    name = number.to_bytes(8)
    nonce = name + secrets.token_bytes(_SALT)
    bound = (_HEAD_OF_FILE if file_key else _HEAD) + name
    return _VERSION + nonce + key.encrypt(nonce, file_key + head, bound)


def open_head(key: AESGCM, number: int, sealed: bytes, *, has_file: bool) -> tuple[bytes, bytes]:
    """Return the head of a message, and the key of its file. Raises SealBroken."""
    if sealed[:1] != _VERSION or len(sealed) < HEAD_EXTRA:
        raise SealBroken("its content was sealed in a form that is not known")
    bound = (_HEAD_OF_FILE if has_file else _HEAD) + number.to_bytes(8)
    try:
        head = key.decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], bound)
    except InvalidTag:
        raise SealBroken("its seal is broken") from None
    return (head[FILE_KEY:], head[:FILE_KEY]) if has_file else (head, b"")


class FileSealer:
    """Seals one file, piece by piece. It keeps less than a chunk and the last piece."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)
        self._waiting = bytearray()
        self._place = 0

    def add(self, piece: bytes) -> bytes:
        """Take a piece; return what can be written."""
        self._waiting += piece
        if len(self._waiting) <= CHUNK:
            return b""
        whole = (len(self._waiting) - 1) // CHUNK * CHUNK  # one octet at least is left for the last
        sealed = [
            self._seal(bytes(self._waiting[start : start + CHUNK]), is_last=False)
            for start in range(0, whole, CHUNK)
        ]
        del self._waiting[:whole]
        return b"".join(sealed)

    def end(self) -> bytes:
        """Return the last chunk, and forget what is left."""
        last = self._seal(bytes(self._waiting), is_last=True)
        self._waiting.clear()
        return last

    def _seal(self, chunk: bytes, *, is_last: bool) -> bytes:
        nonce = _chunk_nonce(self._place, is_last=is_last)
        self._place += 1
        return self._cipher.encrypt(nonce, chunk, _CHUNK)


class FileOpener:
    """Opens one file, piece by piece. The last chunk is opened at the end only."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)
        self._waiting = bytearray()
        self._place = 0

    def add(self, piece: bytes) -> bytes:
        """Take a piece; return content that is proven to be in its place. Raises SealBroken."""
        self._waiting += piece
        whole = max(0, len(self._waiting) - 1) // _SEALED_CHUNK * _SEALED_CHUNK
        opened = [
            self._open(bytes(self._waiting[start : start + _SEALED_CHUNK]), is_last=False)
            for start in range(0, whole, _SEALED_CHUNK)
        ]
        del self._waiting[:whole]
        return b"".join(opened)

    def end(self) -> bytes:
        """Return the content of the last chunk. Raises SealBroken where the file goes on."""
        last = self._open(bytes(self._waiting), is_last=True)
        self._waiting.clear()
        return last

    def _open(self, chunk: bytes, *, is_last: bool) -> bytes:
        nonce = _chunk_nonce(self._place, is_last=is_last)
        self._place += 1
        try:
            return self._cipher.decrypt(nonce, chunk, _CHUNK)
        except InvalidTag:
            raise SealBroken("the seal of its content file is broken") from None


def sealed_beginning(octets: int) -> int:
    """Return how many octets of a sealed file must be read for so many of the content.

    One more than whole chunks: only with it is known that the chunk before is not the last.
    """
    return max(1, -(-octets // CHUNK)) * _SEALED_CHUNK + 1


def open_beginning(key: bytes, sealed: bytes, octets: int) -> bytes:
    """Return the first octets of a file, of `sealed_beginning` octets or all. Raises SealBroken."""
    opener = FileOpener(key)
    opened = opener.add(sealed)
    if len(sealed) < sealed_beginning(octets):
        opened += opener.end()
    return opened[:octets]


def _chunk_nonce(place: int, *, is_last: bool) -> bytes:
    return place.to_bytes(_NONCE - 1) + (b"\1" if is_last else b"\0")
