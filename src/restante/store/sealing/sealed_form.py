"""The sealed form of content. Pure but for the random octets of new keys.

A head is sealed whole, under the key of its domain:

    version │ nonce │ AES-256-GCM( the file's key, if there is a file; the head )

The nonce is the number of the message and four random octets. The number is bound in, and whether
there is a file. So no row can have the head of another.

A file has a key of its own, and is sealed in chunks, in the way of STREAM (Hoang, Reyhanitabar,
Rogaway and Vizár, 2015). The nonce of a chunk is its place and whether it is the last. So a file
that was cut, or whose chunks were put in another order, does not open. The key of a file is in the
heads of its messages and nowhere else. Several domains can thus have one file, each under its key.
"""

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from restante.mail.sealed_size import CHUNK, FILE_KEY, HEAD_EXTRA, TAG
from restante.tenancy.sealed_secrets import SealBroken

KEY_BITS: Final = 256
_VERSION: Final = b"\1"
_NONCE: Final = 12
SALT: Final = 4  # random octets of the nonce of a head
_HEAD, _HEAD_OF_FILE, _CHUNK = (
    b"restante head 1 ",
    b"restante head of a file 1 ",
    b"restante file 1",
)
_SEALED_CHUNK: Final = CHUNK + TAG
_BROKEN: Final = "its seal is broken"


def new_key() -> bytes:
    """Make a key for a domain or a file."""
    return AESGCM.generate_key(KEY_BITS)


def seal_head(
    key: AESGCM, number: int, head: bytes, file_key: bytes = b"", *, salt: bytes
) -> bytes:
    """Seal the head of a message, with the key of its file. `salt` is random, of SALT octets."""
    name = number.to_bytes(8)
    nonce = name + salt
    bound = (_HEAD_OF_FILE if file_key else _HEAD) + name
    return _VERSION + nonce + key.encrypt(nonce, file_key + head, bound)


def open_head(key: AESGCM, number: int, sealed: bytes, *, has_file: bool) -> tuple[bytes, bytes]:
    """Return the head of a message, and the key of its file. Raises SealBroken."""
    if len(sealed) < HEAD_EXTRA:
        raise SealBroken(_BROKEN)
    if sealed[:1] != _VERSION:
        raise SealBroken("its content is damaged, or was sealed in a form that is not known")
    bound = (_HEAD_OF_FILE if has_file else _HEAD) + number.to_bytes(8)
    try:
        head = key.decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], bound)
    except InvalidTag:
        raise SealBroken(_BROKEN) from None
    return (head[FILE_KEY:], head[:FILE_KEY]) if has_file else (head, b"")


class FileSealer:
    """Seals one file, piece by piece. It keeps a chunk at most."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)
        self._chunks = _ChunkCutter(CHUNK)

    def add(self, piece: bytes) -> bytes:
        """Take a piece; return what can be written."""
        return b"".join(self._sealed(piece))

    def end(self, piece: bytes = b"") -> bytes:
        """Take the last piece; return all that can be written, and forget what is left."""
        sealed = self._sealed(piece)
        nonce, last = self._chunks.last()
        return b"".join([*sealed, self._cipher.encrypt(nonce, last, _CHUNK)])

    def _sealed(self, piece: bytes) -> list[bytes]:
        encrypt = self._cipher.encrypt
        return [encrypt(nonce, chunk, _CHUNK) for nonce, chunk in self._chunks.cut(piece)]


class FileOpener:
    """Opens one file, piece by piece. The last chunk is opened at the end only."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)
        self._chunks = _ChunkCutter(_SEALED_CHUNK)

    def add(self, piece: bytes) -> bytes:
        """Take a piece; return content that is proven to be in its place. Raises SealBroken."""
        cut = self._chunks.cut(piece)
        return b"".join([self._open(nonce, chunk) for nonce, chunk in cut])

    def end(self) -> bytes:
        """Return the content of the last chunk. Raises SealBroken where the file goes on."""
        return self._open(*self._chunks.last())

    def _open(self, nonce: bytes, chunk: "_Octets") -> bytes:
        try:
            return self._cipher.decrypt(nonce, chunk, _CHUNK)
        except InvalidTag:
            raise SealBroken("the seal of its content file is broken") from None


_Octets = bytearray | memoryview


class _ChunkCutter:
    """Cuts pieces into chunks, each with its nonce. It copies only what goes over two pieces."""

    def __init__(self, octets: int) -> None:
        self._octets = octets
        self._waiting = bytearray()
        self._place = 0

    def cut(self, piece: bytes) -> list[tuple[bytes, _Octets]]:
        """Return the whole chunks. One octet at least is left for the last one."""
        start = self._octets - len(self._waiting)
        if len(piece) <= start:
            self._waiting += piece
            return []
        view = memoryview(piece)
        cut: list[tuple[bytes, _Octets]] = []
        if self._waiting:
            self._waiting += view[:start]
            cut.append((self._nonce(is_last=False), self._waiting))
        else:
            start = 0
        while len(view) - start > self._octets:
            cut.append((self._nonce(is_last=False), view[start : start + self._octets]))
            start += self._octets
        self._waiting = bytearray(view[start:])
        return cut

    def last(self) -> tuple[bytes, _Octets]:
        """Return the last chunk, whole or not, and forget it."""
        last, self._waiting = self._waiting, bytearray()
        return self._nonce(is_last=True), last

    def _nonce(self, *, is_last: bool) -> bytes:
        place, self._place = self._place, self._place + 1
        return place.to_bytes(_NONCE - 1) + (b"\1" if is_last else b"\0")


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
