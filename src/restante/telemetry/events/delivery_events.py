"""Events of drains and of destinations."""

from dataclasses import dataclass
from typing import ClassVar

from restante.telemetry.events.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainStarted(Event):
    """A drain of a domain's held mail started."""

    event: ClassVar[str] = "drain-started"
    domain: str
    destination: str
    requested_by: str
    held: int
    release: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainFinished(Event):
    """A drain ended. The fields count messages by their outcome, and give the reason."""

    event: ClassVar[str] = "drain-finished"
    domain: str
    account: str
    destination: str
    delivered: int
    deferred: int
    refused: int
    uncertain: int
    held: int
    seconds: float
    end: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryAttempt(Event):
    """A connection to a destination ended or could not be made."""

    event: ClassVar[str] = "delivery-attempt"
    domain: str
    destination: str
    end: str
    reason: str
    address: str | None = None
    tls_version: str | None = None
    manner: str | None = None
    delivered: int | None = None
    deferred: int | None = None
    refused: int | None = None
    uncertain: int | None = None
    outstanding: int | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptEnded(Event):
    """An attempt of a drain ended, with the reason.

    It may have made no connection: no address was found, or held mail could not be read. The
    drain makes more attempts until its time limit.
    """

    event: ClassVar[str] = "attempt-ended"
    domain: str
    destination: str
    end: str
    reason: str
    tried: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDelivered(Event):
    """The destination accepted a message. Its reply has the name it gave it."""

    event: ClassVar[str] = "message-delivered"
    message: str
    message_id: str
    domain: str
    destination: str
    recipients: int
    forward_paths: tuple[str, ...]
    reply: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryDeferred(Event):
    """The destination answered 4xx, or not at all, for a recipient.

    The message stays held for it.
    """

    event: ClassVar[str] = "delivery-deferred"
    message: str
    message_id: str
    domain: str
    destination: str
    forward_path: str
    reply: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRefused(Event):
    """The destination answered 5xx for a recipient. It is marked refused until somebody decides."""

    event: ClassVar[str] = "delivery-refused"
    message: str
    message_id: str
    domain: str
    destination: str
    forward_path: str
    reply: str
    bounced: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryUncertain(Event):
    """The destination's final reply to a message could not be read, for the third time.

    The destination may have the message. It is marked uncertain until somebody decides.
    """

    event: ClassVar[str] = "delivery-uncertain"
    message: str
    message_id: str
    domain: str
    destination: str
    forward_path: str
    reply: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationRefuses(Event):
    """A drain stopped because the destination refuses everything (`delivery.refusals_limit`)."""

    event: ClassVar[str] = "destination-refuses"
    domain: str
    account: str
    destination: str
    refused: int
    held: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PrimaryAway(Event):
    """A probed destination did not answer twice in a row. One line per account concerned."""

    event: ClassVar[str] = "primary-away"
    destination: str
    account: str
    domains: tuple[str, ...]
    domains_total: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofLost(Event):
    """The DNS record that proves a domain is missing. Its mail is still taken."""

    event: ClassVar[str] = "proof-lost"
    domain: str
    account: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PrimaryBack(Event):
    """A probed destination answered twice in a row again.

    Drains start for the domains held until its return.
    """

    event: ClassVar[str] = "primary-back"
    destination: str
    account: str
    domains: tuple[str, ...]
    domains_total: int
    reason: str
