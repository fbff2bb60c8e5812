"""Options that are the same for all sessions of a listener."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import product

from restante.sasl.mechanism import SaslMechanism
from restante.smtp import replies
from restante.smtp.extensions import offered_extensions
from restante.smtp.limits import SmtpLimits
from restante.smtp.replies import Reply

MechanismFactories = Mapping[str, Callable[[], SaslMechanism]]


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """Options that are the same for all sessions of a listener."""

    hostname: str
    limits: SmtpLimits
    mechanisms: MechanismFactories
    can_start_tls: bool
    greeting: Reply = field(init=False)  # replies that every session gets are encoded once
    hello: Reply = field(init=False)
    bye: Reply = field(init=False)
    _offers: Mapping[tuple[bool, bool], Reply] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name, reply in (
            ("greeting", replies.GREETING),
            ("hello", replies.HELLO),
            ("bye", replies.BYE),
        ):
            object.__setattr__(self, name, reply.fill(hostname=self.hostname))
        states = product((False, True), repeat=2)
        object.__setattr__(
            self, "_offers", {state: self._answer_to_ehlo(*state) for state in states}
        )

    def offers(self, *, has_tls: bool, is_authenticated: bool) -> Reply:
        """Return the answer to EHLO in that state of a session."""
        return self._offers[has_tls, is_authenticated]

    def _answer_to_ehlo(self, has_tls: bool, is_authenticated: bool) -> Reply:  # noqa: FBT001
        offered = offered_extensions(
            message_octets=self.limits.message_octets,
            mechanisms=tuple(self.mechanisms),
            has_tls=has_tls,
            can_start_tls=self.can_start_tls,
            is_authenticated=is_authenticated,
        )
        return replace(self.hello, more=offered)
