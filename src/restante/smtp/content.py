"""Content in transit: DATA with dot-stuffing, BDAT without (RFC 5321 §4.1.1.4, §4.5.2; RFC 3030).

One rule is strict above all: `CRLF.CRLF` ends DATA and nothing else does, wherever TCP cuts the
stream. Some servers accept a bare LF or CR in the end mark, or drop a NUL before they look for it.
On such servers one message can smuggle in a second. Accepted content is kept with CRLF line ends
only and without NUL (RFC 2045 §2.7, §2.8: mail that is not BINARYMIME has none). So the next server
cannot read it in another way.

All searching is done over whole blocks by functions in C, never by line. The search for bare line
ends costs the most. Decision 0035 has the figures of the ways to do it.
"""

import re
from io import IncrementalNewlineDecoder
from typing import Final

END_MARK: Final = b"\r\n.\r\n"
_DOT: Final = b"\r\n."  # that was stuffed, or begins the end mark
_ANY_NEWLINE: Final = re.compile(rb"\r\n|\r|\n")
_CLEAN: Final = (None, "\r\n")  # the kinds of line end that content may have


def has_bare_newline(block: bytes) -> bool:
    """Tell whether a CR or LF stands alone. The block must not end between CR and LF."""
    kinds = IncrementalNewlineDecoder(None, translate=False)  # in one pass; it stops at the third
    kinds.decode(block.decode("latin-1"), final=True)
    return kinds.newlines not in _CLEAN


class _Cleaner:
    """The common step for content by either verb: CRLF line ends only, and no NUL.

    Each message has its own.
    """

    __slots__ = ("found_bare_newline", "nuls")

    def __init__(self) -> None:
        self.found_bare_newline = False
        self.nuls = 0  # taken out so far

    def _clean(self, block: bytes) -> bytes:
        if has_bare_newline(block):
            self.found_bare_newline = True
            block = _ANY_NEWLINE.sub(b"\r\n", block)
        # After the newlines: a CR and an LF with a NUL between them are two bare ones, wherever the
        # stream is cut. Then every CR has its LF behind it, and taking NULs out makes and breaks no
        # line end.
        if b"\0" in block:
            octets = len(block)
            block = block.replace(b"\0", b"")
            self.nuls += octets - len(block)
        return block


class DataDecoder(_Cleaner):
    """Finds the end of DATA, removes the stuffed dots, and cleans what is left.

    The end is looked for in the stream as it comes: a mark with a NUL in it is no end mark. Bytes
    that may be the beginning of one are kept back until the next call decides. The line end of the
    DATA command itself counts as the first half of an end mark, so that `.CRLF` alone is an empty
    message.
    """

    __slots__ = ("_kept", "_owed", "is_complete", "surplus")

    def __init__(self) -> None:
        super().__init__()
        self._kept = b"\r\n"
        self._owed = 2  # octets at the front that are the command's line end, not content
        self.is_complete = False
        self.surplus = b""  # the octets after the end mark

    def receive(self, data: bytes) -> bytes:
        """Take bytes and return their content; b"" does not mean the end, `is_complete` does."""
        stream = self._kept + data
        end, has_stuffed_dots = _find_dots(stream)
        if end >= 0:
            self.is_complete = True
            self.surplus = stream[end + len(END_MARK) :]
            block = stream[: end + 2]  # the mark's first CRLF ends the last line
        else:
            block, self._kept = _keep_back(stream)
        if not block:
            return b""
        # A dot after CRLF is stuffed, whatever follows it (§4.5.2). It is removed before cleaning.
        # So a dot after a bare newline or a NUL, which the sender did not stuff, stays.
        if has_stuffed_dots:
            block = block.replace(_DOT, b"\r\n")
        if self._owed:
            block, self._owed = block[self._owed :], 0
        return self._clean(block)


def _find_dots(stream: bytes) -> tuple[int, bool]:
    """Return where the end mark is (-1: nowhere), and whether there may be stuffed dots.

    Most of an attachment has no dot but that of the end mark, which stands last. To look for one
    octet takes an eighth of the time of any other search. Searching for three octets backwards
    takes half the time that searching forwards does.
    """
    first = stream.find(b".")
    if first < 0:
        return -1, False
    if first == len(stream) - 3 and stream.endswith(END_MARK):
        return first - 2, False
    last = stream.rfind(_DOT)
    if last < 0:
        return -1, False
    is_last = last == len(stream) - len(END_MARK) and stream.endswith(END_MARK)
    if is_last and stream.rfind(_DOT, 0, last) < 0:
        return last, False
    return stream.find(END_MARK), True


def _keep_back(stream: bytes) -> tuple[bytes, bytes]:
    """Split off the longest tail that could begin an end mark."""
    for length in (4, 3, 2, 1):
        if stream.endswith(END_MARK[:length]):
            return stream[:-length], stream[-length:]
    return stream, b""


class ChunkDecoder(_Cleaner):
    """Cleans BDAT content, chunk after chunk; a CR at the end of one waits for the next."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        super().__init__()
        self._kept = b""

    def receive(self, data: bytes, *, is_last: bool) -> bytes:
        """Take content and return what is certain of it."""
        block = self._kept + data
        self._kept = b""
        if not is_last and block.endswith(b"\r"):
            block, self._kept = block[:-1], b"\r"
        return self._clean(block)


class DataEncoder:
    """Stuffs dots and adds the end mark, block by block, for content with CRLF line ends only.

    Content that does not end with CRLF (it came by BDAT) gets one: DATA cannot carry it otherwise.
    """

    __slots__ = ("_tail",)

    def __init__(self) -> None:
        self._tail = b"\r\n"  # the last two octets sent

    def encode(self, block: bytes) -> bytes:
        """Return a block as it goes over the wire."""
        if not block:
            return b""
        tail = self._tail + block[:1]
        stuffed = block.replace(b"\r\n.", b"\r\n..")
        if tail == b"\r\n.":
            stuffed = b"." + stuffed
        elif tail[1:] == b"\r\n" and block[1:2] == b".":  # CRLF was cut in two
            stuffed = stuffed[:1] + b"." + stuffed[1:]
        self._tail = (self._tail + block)[-2:] if len(block) < len(self._tail) else block[-2:]
        return stuffed

    def finish(self) -> bytes:
        """Return the end mark, with the line end that it needs before it."""
        return b".\r\n" if self._tail == b"\r\n" else END_MARK


class ChunkEncoder:
    """The DataEncoder of one BDAT: octets go as they are, and their number ends them (RFC 3030)."""

    __slots__ = ("_owed", "ends_line")

    def __init__(self, octets: int) -> None:
        """`octets` is what the command has announced."""
        self._owed = octets
        self.ends_line = True  # the last octet ended a line, or none has gone

    def encode(self, block: bytes) -> bytes:
        """Return the block itself."""
        self._owed -= len(block)
        if block:
            self.ends_line = block.endswith(b"\n")
        return block

    def finish(self) -> bytes:
        """Return nothing.

        Raises ValueError if the content is not as long as announced: replies would not match.
        """
        if self._owed:
            raise ValueError(f"a chunk is {-self._owed} octets longer than announced")
        return b""
