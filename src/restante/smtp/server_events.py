"""The events of a server session, for its caller.

Commands that need facts from outside are events themselves.
"""

from dataclasses import dataclass
from typing import NamedTuple

from restante.sasl.mechanism import SaslCredentials
from restante.smtp.commands import Atrn, Data, Etrn, Hello, Mail, Quit, Rcpt, StartTls


@dataclass(frozen=True, slots=True)
class Authenticate:
    """Answer whether these credentials are good."""

    mechanism: str
    credentials: SaslCredentials


class ContentBlock(NamedTuple):
    """Content of the message, decoded. Not answered."""

    octets: bytes


class ChunkReceived(NamedTuple):
    """A BDAT chunk that is not the last is complete. Answer it."""

    octets: int


class ContentReceived(NamedTuple):
    """The content is complete. Answer when the message is durable, or cannot be."""

    found_bare_newline: bool  # and it was made CRLF
    found_nul: bool  # and it was taken out


@dataclass(frozen=True, slots=True)
class TransactionAborted:
    """The mail transaction that was open has ended. Not answered."""


Answered = (
    Mail | Rcpt | Data | StartTls | Etrn | Atrn | Authenticate | ChunkReceived | ContentReceived
)
Unanswered = Hello | ContentBlock | TransactionAborted | Quit
ServerEvent = Answered | Unanswered
