"""The events of a server session, for its caller.

Commands that need facts from outside are events themselves.
"""

from dataclasses import dataclass

from restante.sasl.mechanism import Credentials
from restante.smtp.commands import Data, Etrn, Hello, Mail, Quit, Rcpt, StartTls


@dataclass(frozen=True, slots=True)
class Authenticate:
    """Answer whether these credentials are good."""

    mechanism: str
    credentials: Credentials


@dataclass(frozen=True, slots=True)
class ContentBlock:
    """Content of the message, decoded. Not answered."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class ChunkReceived:
    """A BDAT chunk that is not the last is complete. Answer it."""

    octets: int


@dataclass(frozen=True, slots=True)
class ContentReceived:
    """The content is complete. Answer when the message is durable, or cannot be."""

    found_bare_newline: bool  # and it was made CRLF
    found_nul: bool  # and it was taken out


@dataclass(frozen=True, slots=True)
class TransactionAborted:
    """The mail transaction that was open has ended. Not answered."""


Answered = Mail | Rcpt | Data | StartTls | Etrn | Authenticate | ChunkReceived | ContentReceived
Unanswered = Hello | ContentBlock | TransactionAborted | Quit
Event = Answered | Unanswered
