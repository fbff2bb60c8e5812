"""A destination with CHUNKING, and the faults of such servers. It shares none of our code."""

from enum import Enum, auto

from tests.smtp.reference import ReferenceDestination, reply


class Refusal(Enum):
    """The effect of a refused chunk on this server."""

    ENDS = auto()  # the transaction, as in Postfix
    KEEPS = auto()  # the transaction open, as Exim does
    GOES_ASTRAY = auto()  # the chunk is taken for commands


class ChunkingDestination(ReferenceDestination):
    """Takes content by BDAT."""

    def __init__(
        self, refusal: Refusal, *, offers: tuple[str, ...] = ("PIPELINING", "CHUNKING")
    ) -> None:
        super().__init__(offers=offers)
        self._refusal = refusal
        self._owed = 0  # octets of the chunk
        self._is_chunk_taken = False

    def receive(self, data: bytes) -> None:
        """Take bytes: lines, and chunks between them."""
        self._unread += data
        while self._advance():
            pass

    def _advance(self) -> bool:
        if self._owed:
            return self._take_octets()
        if self._is_in_content or b"\r\n" not in self._unread:
            return self._go_on_as_ever()
        line, self._unread = self._unread.split(b"\r\n", 1)
        self._obey(line.decode())
        return True

    def _go_on_as_ever(self) -> bool:
        before = len(self._unread)
        super().receive(b"")
        return len(self._unread) != before

    def _obey(self, line: str) -> None:
        words = line.split()
        if words[:1] == ["BDAT"]:
            self.verbs.append("BDAT")
            assert words[2:] == ["LAST"]
            self._begin_chunk(int(words[1]))
        elif self._open is not None and words[:1] == ["MAIL"]:  # one transaction inside another
            self.verbs.append("MAIL")
            self.said += reply(503)
        else:
            super()._obey(line)

    def _take_mail(self, path: str) -> None:
        if path:
            super()._take_mail(path)
        else:  # the probe's
            super()._take_mail("250.250@probe.example")

    def _begin_chunk(self, octets: int) -> None:
        self._is_chunk_taken = self._open is not None and bool(self._open.forward_paths)
        if not self._is_chunk_taken and self._refusal is Refusal.GOES_ASTRAY:
            self.said += reply(503)
            return
        self._owed = octets
        if not octets:
            self._end_chunk()

    def _take_octets(self) -> bool:
        octets, self._unread = self._unread[: self._owed], self._unread[self._owed :]
        self._owed -= len(octets)
        if self._is_chunk_taken:
            assert self._open is not None
            self._open.content += octets
        if not self._owed:
            self._end_chunk()
        return bool(octets)

    def _end_chunk(self) -> None:
        if not self._is_chunk_taken:
            self.said += reply(503)
            if self._refusal is Refusal.ENDS:
                self._open = None
            return
        assert self._open is not None
        code = int(self._open.reverse_path[4:7])
        if code == 250:
            self.said += b"250 taken as %d\r\n" % len(self.taken)
            self.taken.append(self._open)
        else:
            self.said += reply(code)
        self._open = None
