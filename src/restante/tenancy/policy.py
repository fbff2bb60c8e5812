"""The policy of a domain's mail: when it leaves, what is accepted, how much and how long (S14).

Pure: values and the questions one can ask of them; the time is an argument. With the defaults, all
mail for the domain is accepted and held, nothing leaves without a request, and nothing is
discarded.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from restante.tenancy.quota import NO_QUOTA, Quota

DAY: Final = 86400.0


class HoldPolicy(StrEnum):
    """The events that make held mail leave."""

    UNTIL_ASKED = "until-asked"  # a request, and nothing else
    ON_RETURN = "on-return"  # also that the destination is seen to be back
    RELAY = "relay"  # at once, then with growing pauses, as any secondary does


class WhileSuspended(StrEnum):
    """How mail is treated that arrives during a suspension."""

    ACCEPT = "accept"  # it is held
    DEFER = "defer"  # 450


@dataclass(frozen=True, slots=True)
class Suspension:
    """Nothing leaves, even on request. When it ends, the hold policy is in force again."""

    reason: str
    until: float | None = None  # Unix time; None: until it is lifted
    mail: WhileSuspended = WhileSuspended.ACCEPT


class ProbePolicy(StrEnum):
    """Whether the destination is probed all the time."""

    ON = "on"
    OFF = "off"  # only where the policy needs it


class AcceptPolicy(StrEnum):
    """When mail is taken in."""

    ALWAYS = "always"
    WHEN_DOWN = (
        "when-down"  # while the destination answers, RCPT gets 450: no one bypasses the primary
    )


@dataclass(frozen=True, slots=True)
class ForcedAcceptance:
    """Taking mail in or not, whatever the destination does: for a maintenance window."""

    is_on: bool
    until: float | None = None  # Unix time; None: until it is lifted


class RecipientPolicy(StrEnum):
    """Which addresses are known to be there."""

    ANY = "any"  # all of them
    LIST = "list"  # those on the domain's list
    LEARNED = "learned"  # those too, and those that the destination took


class UnknownRecipientReply(StrEnum):
    """The reply to RCPT of an address that is not known."""

    ACCEPT = "accept"
    DEFER = "defer"  # 450
    REJECT = "reject"  # 550: only where the list is whole, or mail is lost to its sender


class AtEnd(StrEnum):
    """How mail is treated whose retention is over."""

    KEEP = "keep"  # it stays, and is reported
    DELETE = "delete"
    BOUNCE = "bounce"  # it goes, and its sender gets a report where that may be (RFC 3464)


class OnRefusal(StrEnum):
    """How mail is treated that the destination refuses."""

    KEEP = "keep"  # marked refused, until somebody acts or its retention is over
    BOUNCE = "bounce"  # at once: the sender gets a report where that may be


class TurnaroundPolicy(StrEnum):
    """Whether the client's own connection may take the mail (RFC 2645)."""

    DENY = "deny"
    ALLOW = "allow"  # mail goes to the holder of a login with that right, not to the destination


class HygienePolicy(StrEnum):
    """How mail is treated that has a bad sign: never with 5xx, as such signs can be wrong."""

    OFF = "off"  # as other mail: nothing is looked up
    MARK = "mark"  # it is held, and marked suspect
    DEFER = "defer"  # 450


class OwnDomainPolicy(StrEnum):
    """How mail from outside is treated whose reverse-path is of the domain's own server."""

    ALLOW = "allow"  # it is held, and marked suspect
    DEFER = "defer"  # 450


class ProofPolicy(StrEnum):
    """The record in DNS that must prove a domain before its mail is taken (domain_proof.py)."""

    NONE = "none"
    TXT = "txt"  # a token at _restante.DOMAIN
    MX = "mx"  # the domain's MX names this server


@dataclass(frozen=True, slots=True)
class Retention:
    """For how long."""

    seconds: float | None = None  # None: no end
    at_end: AtEnd = AtEnd.KEEP


HELD_FOR_EVER: Final = Retention()
REFUSED_FOR_TWO_WEEKS: Final = Retention(14 * DAY)


@dataclass(frozen=True, slots=True)
class Policy:
    """All of it, for one domain."""

    hold: HoldPolicy = HoldPolicy.UNTIL_ASKED
    suspension: Suspension | None = None
    probe: ProbePolicy = ProbePolicy.ON
    accept: AcceptPolicy = AcceptPolicy.ALWAYS
    forced: ForcedAcceptance | None = None
    recipients: RecipientPolicy = RecipientPolicy.ANY
    unknown: UnknownRecipientReply = UnknownRecipientReply.ACCEPT
    ignores_tags: bool = False  # user+tag is user
    asks_destination: bool = (
        False  # at RCPT, while it is up, about a mailbox of which nothing is known
    )
    hygiene: HygienePolicy = HygienePolicy.MARK
    own_domain: OwnDomainPolicy = OwnDomainPolicy.ALLOW
    quota: Quota = NO_QUOTA
    message_octets: int | None = None  # largest message; None: the server's limit alone
    retention: Retention = HELD_FOR_EVER  # from when it was received
    refused_retention: Retention = REFUSED_FOR_TWO_WEEKS  # from when it was refused
    on_refusal: OnRefusal = OnRefusal.KEEP
    after_drains: int | None = None  # that met a policy, mail is marked refused; None: it is held
    turnaround: TurnaroundPolicy = TurnaroundPolicy.DENY
    change_lock: bool = False  # its account may change neither destination nor authorized hosts
    proof: ProofPolicy = ProofPolicy.NONE
    proven_at: float | None = None  # Unix time at which the record was first found
    drill_every: float | None = None  # seconds between two drills by the timer; None: no timer

    @property
    def awaits_proof(self) -> bool:
        """True if no mail is taken because the domain is not proven yet."""
        return self.proof is not ProofPolicy.NONE and self.proven_at is None

    @property
    def takes_everything(self) -> bool:
        """True if no rule here can ever reject mail; most domains then need no lookup."""
        return (
            self.accept is AcceptPolicy.ALWAYS
            and self.recipients is RecipientPolicy.ANY
            and self.suspension is None
            and self.forced is None
            and self.message_octets is None
            and self.quota.is_none
            and not self.awaits_proof
        )

    def suspension_at(self, now: float) -> Suspension | None:
        """Return the suspension in force."""
        return (
            self.suspension
            if self.suspension is not None and _is_on(self.suspension.until, now)
            else None
        )

    def leaves_unasked(self, now: float) -> bool:
        """Tell whether a drain may start without a request."""
        return self.hold is not HoldPolicy.UNTIL_ASKED and self.suspension_at(now) is None

    def awaits_outage(self, now: float, *, is_up: bool) -> bool:
        """Tell whether mail is deferred because the destination can take it itself.

        `is_up` tells whether the destination is known to answer.
        """
        if self.forced is not None and _is_on(self.forced.until, now):
            return not self.forced.is_on
        return self.accept is AcceptPolicy.WHEN_DOWN and is_up


DEFAULT_POLICY: Final = Policy()


def _is_on(until: float | None, now: float) -> bool:
    return until is None or now < until
