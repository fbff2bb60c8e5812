"""The envelope of a mail transaction (RFC 5321 §2.3.1)."""

from collections.abc import Sequence
from typing import NamedTuple

from restante.mail.dsn_request import DsnRequest


class Envelope(NamedTuple):
    """The reverse-path, the forward-paths, and the requirements of the content on every hop.

    Paths are text as accepted from the peer, without the angle brackets; the null reverse-path is
    "".
    """

    reverse_path: str
    forward_paths: tuple[str, ...]
    is_8bit: bool = False  # BODY=8BITMIME was declared (RFC 6152)
    needs_smtputf8: bool = False  # SMTPUTF8 was declared (RFC 6531 §3.4)
    dsn: DsnRequest | None = None  # the request for reports (RFC 3461); None without one
    is_suspect: bool = (
        False  # taken although something spoke against the reverse-path: no report goes there
    )

    def part(self, forward_paths: Sequence[str]) -> "Envelope":
        """Return the envelope for some of its recipients; it tells nothing of the others."""
        dsn = self.dsn and self.dsn.only(forward_paths)
        return self._replace(forward_paths=tuple(forward_paths), dsn=dsn)
