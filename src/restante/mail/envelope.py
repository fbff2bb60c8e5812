"""The envelope of a mail transaction (RFC 5321 §2.3.1)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who sent, to whom, and what the content needs of every hop.

    Paths are text as accepted from the peer, without the angle brackets; the null reverse-path is "".
    """

    reverse_path: str
    forward_paths: tuple[str, ...]
    is_8bit: bool = False  # BODY=8BITMIME was declared (RFC 6152)
    needs_smtputf8: bool = False  # SMTPUTF8 was declared (RFC 6531 §3.4)
