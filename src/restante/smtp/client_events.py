"""The events of a client session, for its caller."""

from dataclasses import dataclass, field
from enum import StrEnum

from restante.sasl.scram_keys import Salting
from restante.smtp.client_transaction import ClientTransaction


class SessionEnding(StrEnum):
    """Why a server ended a session, or we had to."""

    QUIT = "quit"  # we said it
    REFUSED = (
        "refused"  # greeting, EHLO, STARTTLS, AUTH or RSET did not go well: no transaction can be
    )
    BUSY = "busy"  # 421


@dataclass(frozen=True, slots=True)
class BeginTls:
    """Begin the TLS handshake now; call `tls_established` after it.

    Nothing may be sent in between.
    """


@dataclass(frozen=True, slots=True)
class SaltPassword:
    """Derive `salted_password` (sasl/scram_keys.py) off the event loop.

    Give the result to `password_salted`. Nothing is sent in between.
    """

    password: str = field(repr=False)
    salting: Salting


@dataclass(frozen=True, slots=True)
class SessionReady:
    """Transactions can begin."""


@dataclass(frozen=True, slots=True)
class ContentWanted:
    """Send the rest of the content by `send_content` and `end_content`; its head has been sent."""

    transaction: ClientTransaction


@dataclass(frozen=True, slots=True)
class TransactionEnded:
    """Every reply that this transaction gets has come."""

    transaction: ClientTransaction


@dataclass(frozen=True, slots=True)
class WindowSettled:
    """Everything that ran ahead has its replies. `is_whole`: all of it was delivered."""

    is_whole: bool


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """Nothing more can be sent; the `outstanding` have no outcome. `reason` is for people."""

    ending: SessionEnding
    reason: str


ClientEvent = (
    BeginTls
    | SaltPassword
    | SessionReady
    | ContentWanted
    | TransactionEnded
    | WindowSettled
    | SessionEnded
)
