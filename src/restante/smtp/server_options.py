"""Options that are the same for all sessions of a listener."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import product

from restante.sasl.external import EXTERNAL
from restante.sasl.mechanism import SaslMechanism
from restante.smtp import replies
from restante.smtp.commands import Atrn, Command, Data, Mail, Rcpt, Verify
from restante.smtp.extensions import offered_extensions
from restante.smtp.limits import SmtpLimits
from restante.smtp.replies import Reply

MechanismFactories = Mapping[str, Callable[[], SaslMechanism]]


_VERBS = ("EHLO", "HELO", "STARTTLS", "AUTH")
_OF_MAIL: tuple[type[Command], ...] = (Mail, Rcpt, Data, Verify)  # BDAT: its octets must be read


@dataclass(frozen=True, slots=True)
class ServiceProfile:
    """The purpose of a listener."""

    takes_mail: bool = True
    turns_around: bool = False  # hands mail over on the client's connection (RFC 2645)

    @property
    def not_offered(self) -> frozenset[type[Command]]:
        """The commands that are known here, and not offered."""
        return frozenset(
            (*(() if self.takes_mail else _OF_MAIL), *(() if self.turns_around else (Atrn,)))
        )

    def verbs(self, *, has_tls: bool) -> tuple[str, ...]:
        """Return the verbs for HELP."""
        mail = ("MAIL", "RCPT", "DATA", "BDAT") if self.takes_mail else ()
        verify = ("VRFY",) if self.takes_mail else ()
        atrn = ("ATRN",) if self.turns_around and has_tls else ()
        return (*_VERBS, *mail, "RSET", "NOOP", "HELP", *verify, *atrn, "ETRN", "QUIT")


TAKES_MAIL = ServiceProfile()


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """Options that are the same for all sessions of a listener."""

    hostname: str
    limits: SmtpLimits
    mechanisms: MechanismFactories
    can_start_tls: bool
    profile: ServiceProfile = TAKES_MAIL
    not_offered: frozenset[type[Command]] = field(init=False, repr=False, compare=False)
    greeting: Reply = field(init=False)  # replies that every session gets are encoded once
    hello: Reply = field(init=False)
    bye: Reply = field(init=False)
    _offers: Mapping[tuple[bool, bool, bool], Reply] = field(init=False, repr=False, compare=False)
    _help: Mapping[bool, Reply] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name, reply in (
            ("greeting", replies.GREETING),
            ("hello", replies.HELLO),
            ("bye", replies.BYE),
        ):
            object.__setattr__(self, name, reply.fill(hostname=self.hostname))
        object.__setattr__(self, "not_offered", self.profile.not_offered)
        object.__setattr__(self, "_help", {state: self._verbs(state) for state in (False, True)})
        states = product((False, True), repeat=3)
        object.__setattr__(
            self, "_offers", {state: self._answer_to_ehlo(*state) for state in states}
        )

    def offers(
        self, *, has_tls: bool, is_authenticated: bool, has_certificate: bool = False
    ) -> Reply:
        """Return the answer to EHLO in that state of a session."""
        return self._offers[has_tls, is_authenticated, has_certificate]

    def mechanism(self, name: str, *, has_certificate: bool) -> Callable[[], SaslMechanism] | None:
        """Return the maker of exchanges of a mechanism that a client is offered."""
        return self.mechanisms.get(name) if has_certificate or name != EXTERNAL else None

    def help(self, *, has_tls: bool) -> Reply:
        """Return the answer to HELP in that state of a session."""
        return self._help[has_tls]

    def _verbs(self, has_tls: bool) -> Reply:  # noqa: FBT001
        return replies.HELP.fill(verbs=" ".join(self.profile.verbs(has_tls=has_tls)))

    def _answer_to_ehlo(
        self,
        has_tls: bool,  # noqa: FBT001
        is_authenticated: bool,  # noqa: FBT001
        has_certificate: bool,  # noqa: FBT001
    ) -> Reply:
        offered = offered_extensions(
            message_octets=self.limits.message_octets if self.profile.takes_mail else None,
            mechanisms=tuple(
                name
                for name in self.mechanisms
                if self.mechanism(name, has_certificate=has_certificate)
            ),
            has_tls=has_tls,
            can_start_tls=self.can_start_tls,
            is_authenticated=is_authenticated,
            turns_around=self.profile.turns_around,
        )
        return replace(self.hello, more=offered)
