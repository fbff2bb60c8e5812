"""The facts that a destination showed in a session without mail. Pure values.

They are kept for some minutes, as JSON, so every field is plain.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class AddressFacts:
    """One address of the destination."""

    address: str  # address:port
    failure: str = ""  # why no session began; "" if one did
    greeting: str = ""
    greeting_seconds: float = 0.0  # from the connection to the greeting


@dataclass(frozen=True, slots=True)
class ProbeReply:
    """The reply to one question of ours. Without a code, the question was not asked."""

    code: int = 0
    text: str = ""

    @property
    def is_asked(self) -> bool:
        """Whether there is a reply."""
        return bool(self.code)

    @property
    def is_positive(self) -> bool:
        """Whether the destination said yes."""
        return 200 <= self.code < 400  # noqa: PLR2004

    @property
    def is_permanent(self) -> bool:
        """Whether the destination refused permanently."""
        return self.code >= 500  # noqa: PLR2004


@dataclass(frozen=True, slots=True)
class ShownCertificate:
    """The certificate that the destination shows."""

    names: tuple[str, ...]
    expires_at: float  # Unix time
    is_self_signed: bool
    key: str  # hex SHA-256 of the SubjectPublicKeyInfo


@dataclass(frozen=True, slots=True)
class TlsFacts:
    """The TLS of the destination."""

    is_offered: bool = False
    version: str = ""  # "" if the session was in clear
    cipher: str = ""
    certificate: ShownCertificate | None = None
    failure: str = ""  # why it could not be had in the way that the record demands
    unverified: str = ""  # why a verifying client would refuse it; "" if it would not
    was_verified: bool = False  # a verifying handshake was tried


@dataclass(frozen=True, slots=True)
class OfferFacts:
    """The offer in the last reply to EHLO."""

    server_name: str = ""
    keywords: tuple[str, ...] = ()  # in capitals; "" of HELO alone
    size_limit: int = 0  # octets; 0: none is named


@dataclass(frozen=True, slots=True)
class DestinationFacts:
    """Everything that one look has shown."""

    destination: str  # host:port
    domain: str  # whose mailboxes were asked about
    at: float  # Unix time
    failure: str = ""  # why the look ended early
    addresses: tuple[AddressFacts, ...] = ()
    offer: OfferFacts = field(default_factory=OfferFacts)
    tls: TlsFacts = field(default_factory=TlsFacts)
    is_ourselves: bool = False
    login: ProbeReply = field(default_factory=ProbeReply)  # the last reply to AUTH
    postmaster: ProbeReply = field(default_factory=ProbeReply)  # from <> to postmaster
    nobody: ProbeReply = field(default_factory=ProbeReply)  # to a mailbox that cannot exist
    own_domain: ProbeReply = field(default_factory=ProbeReply)  # from the domain itself
    third: ProbeReply = field(default_factory=ProbeReply)  # to MAIL of one more transaction

    @property
    def has_greeted(self) -> bool:
        """Whether an address of it has greeted us."""
        return any(not one.failure for one in self.addresses)

    @property
    def has_session(self) -> bool:
        """Whether transactions could begin."""
        return self.postmaster.is_asked
