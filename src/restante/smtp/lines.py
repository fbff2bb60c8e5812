"""Lines from a stream of bytes: only CRLF ends a line, and the length of a line is limited."""

from restante.smtp import replies
from restante.smtp.limits import AUTH_OCTETS, COMMAND_OCTETS
from restante.smtp.protocol_errors import CommandRefused


class LineBuffer:
    """Holds what was received and not yet used. Content is taken from `octets` directly."""

    __slots__ = ("_is_skipping", "octets", "refused")

    def __init__(self) -> None:
        self.octets = b""
        self.refused = b""  # the line last refused, or the beginning of it
        self._is_skipping = False

    def receive(self, data: bytes) -> None:
        """Take bytes from the peer."""
        self.octets = self.octets + data if self.octets else data

    def take_line(self, *, is_authenticating: bool) -> bytes | None:
        """Take the next line, without its CRLF; None if it is not all here.

        Raises CommandRefused for a line that is too long, once it has ended, and for one that a
        bare LF ends. `refused` then has the beginning of the line.
        """
        line, newline, rest = self.octets.partition(b"\n")
        limit = AUTH_OCTETS if is_authenticating or line[:4].upper() == b"AUTH" else COMMAND_OCTETS
        is_too_long = len(line) >= limit
        if not newline:
            if is_too_long:  # forget it, up to the line end to come
                if not self._is_skipping:
                    self.refused = line
                self._is_skipping = True
                self.octets = b""
            return None
        self.octets = rest
        if not self._is_skipping and (is_too_long or not line.endswith(b"\r")):
            self.refused = line
        if is_too_long or self._is_skipping:
            self._is_skipping = False
            raise CommandRefused(
                replies.AUTH_LINE_TOO_LONG if is_authenticating else replies.LINE_TOO_LONG
            )
        if not line.endswith(b"\r"):
            raise CommandRefused(replies.BAD_CHARACTER)
        return line[:-1]

    def clear(self) -> None:
        """Forget everything."""
        self.octets = b""
        self._is_skipping = False
