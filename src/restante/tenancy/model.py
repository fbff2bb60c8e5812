"""The facts an operator records: accounts, logins, hosted domains, destinations, authorized hosts.

All are values: a change replaces one by another through the store. Code that answers commands reads
a `Directory`, an unchanging picture of them all.
"""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TypeVar

from restante.mail.address import canonical_domain
from restante.tenancy.api_token import ApiToken
from restante.tenancy.history_detail import HistoryDetail
from restante.tenancy.login_certificate import LoginCertificate
from restante.tenancy.notice import Channel, NoticeFacts
from restante.tenancy.policy import DEFAULT_POLICY, Policy
from restante.tenancy.portal_user import PortalPasskey, PortalUser
from restante.tenancy.quota import NO_QUOTA, Quota

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

NO_DESTINATION = "none"  # text of a destination without a host: mail leaves by ATRN only
_MAPPED_PREFIX = 96  # of ::ffff:0:0/96
DEFAULT_CONNECTIONS = (
    20  # the same as Postfix; delivery/connection_ramp.py says when so many are opened
)


class TlsUse(StrEnum):
    """How the hop to a destination uses TLS."""

    OFF = "off"
    OPPORTUNISTIC = "opportunistic"  # STARTTLS where offered, any certificate; plain text where not
    REQUIRED = "required"  # STARTTLS or no delivery, any certificate
    VERIFY = "verify"  # STARTTLS, and the certificate or the key must be the right one


class ClientPassing(StrEnum):
    """How a destination is told the address of the client that a message came from."""

    NONE = "none"  # it sees this server's address
    PROXY = "proxy"  # the header of the PROXY protocol, version 2, begins each connection
    XCLIENT = "xclient"  # the command of Postfix, for which it must offer XCLIENT to this server


@dataclass(frozen=True, slots=True)
class DestinationLogin:
    """How we authenticate to a destination; the password is sealed (tenancy/sealed_secrets.py)."""

    user: str
    sealed_password: bytes


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a domain's mail goes, and nowhere else: hard-configured (S9), never the public MX."""

    host: str  # a name (A/AAAA are looked up) or an address in its canonical text; "" for none
    port: int = 25
    tls: TlsUse = TlsUse.OPPORTUNISTIC
    ca_file: str = ""  # for VERIFY: PEM file to trust instead of the system's CAs
    key_pins: tuple[
        str, ...
    ] = ()  # for VERIFY: hex SHA-256 of the SubjectPublicKeyInfo; replaces CAs and names
    login: DestinationLogin | None = None
    connections: int = DEFAULT_CONNECTIONS  # at once, at most
    per_minute: int | None = (
        None  # messages, at most; the domains of one destination share the smallest
    )
    ca_text: str = ""  # for VERIFY: certificates to trust, as PEM; instead of `ca_file`
    set_by: str = ""  # the account that chose host and port; "" where an operator did
    may_be_private: bool | None = None  # an operator's leave, where an account chose the host
    client_address: ClientPassing = ClientPassing.NONE

    @property
    def must_be_public(self) -> bool:
        """Whether connections go to public addresses alone (network/public_address.py)."""
        return bool(self.set_by) and not self.may_be_private

    @property
    def is_reachable(self) -> bool:
        """Whether there is one: without a host, mail leaves by turnarounds only."""
        return bool(self.host)

    @property
    def text(self) -> str:
        """Return `host:port`, with an IPv6 address in brackets; `none` where there is no host."""
        if not self.host:
            return NO_DESTINATION
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class AuthorizedHosts:
    """From where a domain's release may be asked (S10): addresses and networks, and host names."""

    networks: tuple[IpNetwork, ...] = ()
    names: tuple[str, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """Return the entries as an operator writes them; a single address has no prefix length."""
        networks = (
            str(net.network_address) if net.num_addresses == 1 else str(net)
            for net in self.networks
        )
        return (*networks, *self.names)


def parse_authorized_hosts(texts: Iterable[str]) -> AuthorizedHosts:
    """Read addresses, networks and host names. Raises ValueError naming the one that is neither."""
    networks: list[IpNetwork] = []
    names: list[str] = []
    for text in texts:
        try:
            networks.append(_plain_network(ipaddress.ip_network(text.strip("[]"), strict=True)))
        except ValueError as error:
            if "host bits" in str(error):
                raise ValueError(_between(text)) from None
            names.append(canonical_domain(text))
    return AuthorizedHosts(tuple(networks), tuple(names))


def parse_network(text: str) -> IpNetwork:
    """Read an address or a network. Raises ValueError for anything else."""
    try:
        return _plain_network(ipaddress.ip_network(text.strip("[]"), strict=True))
    except ValueError as error:
        if "host bits" in str(error):
            raise ValueError(_between(text)) from None
        raise ValueError(f"neither an address nor a network: {text!r}") from None


def _between(text: str) -> str:
    """Say that a text is neither an address nor a network, and name the two it may mean."""
    found = ipaddress.ip_interface(text.strip("[]"))
    return f"neither an address nor a network: {text!r} (is it {found.ip} or {found.network}?)"


def _plain_network(network: IpNetwork) -> IpNetwork:
    """Return a network of IPv4-mapped addresses as IPv4 (RFC 4291 §2.5.5.2), as peers are."""
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is None or network.prefixlen < _MAPPED_PREFIX:
        return network
    return ipaddress.IPv4Network((mapped, network.prefixlen - _MAPPED_PREFIX))


@dataclass(frozen=True, slots=True)
class Account:
    """One customer of the platform."""

    name: str  # lower case; also what `ETRN #name` names
    created_at: float
    empty_reply: int = (
        251  # reply to ETRN when nothing is held: 251, or 250 for fetchmail with several domains
    )
    note: str = ""
    quota: Quota = NO_QUOTA  # of all its domains together
    report_details: bool = (
        False  # whether reports that strangers ask for (success, delay) quote its primary
    )
    history: HistoryDetail = HistoryDetail.FULL  # how much is kept of mail that left
    change_lock: bool = False  # it may not change where its mail goes, nor open turnarounds


@dataclass(frozen=True, slots=True)
class PriorPassword:
    """The password that a login had before a rotation, good until a time.

    Its hash and its verifier have the salts of the new password's. So one slow computation is
    enough for both, and a check takes the same time during a rotation.
    """

    password_hash: str
    sealed_secret: bytes | None
    sealed_verifier: bytes | None
    valid_until: float  # Unix time


@dataclass(frozen=True, slots=True)
class LoginUse:
    """When and how a login was last authenticated."""

    at: float  # Unix time
    address: str
    mechanism: str


@dataclass(frozen=True, slots=True)
class Login:
    """User name and secret of an account. User names are unique over the whole platform."""

    user: str
    account: str
    password_hash: str  # Argon2id, PHC string; "" where only certificates prove it
    sealed_secret: (
        bytes | None
    )  # the password under the key file, for CRAM-MD5; None where that is not allowed
    created_at: float
    sealed_verifier: bytes | None = None  # for SCRAM (sasl/scram_keys.py); None in old logins
    valid_until: float | None = None  # Unix time; None: no end
    prior: PriorPassword | None = None  # during a rotation
    turnaround: bool = False  # may take mail over its own connection, where a domain allows that
    certificates: tuple[LoginCertificate, ...] = ()  # that it may show instead of its password
    turnaround_at: float | None = None  # Unix time from which that is in force; None: it is

    def may_turn(self, now: float) -> bool:
        """Return whether it has the right to a turnaround, and that is in force."""
        return self.turnaround and (self.turnaround_at is None or self.turnaround_at <= now)

    @property
    def has_password(self) -> bool:
        """Whether it can be proved by a password, and not by certificates only."""
        return bool(self.password_hash)

    def has_expired(self, now: float) -> bool:
        """Return whether its time is over. It is then answered like a wrong password."""
        return self.valid_until is not None and self.valid_until <= now

    def prior_at(self, now: float) -> PriorPassword | None:
        """Return the password before the rotation, if that is still good."""
        return self.prior if self.prior is not None and now < self.prior.valid_until else None

    @property
    def can_use_scram(self) -> bool:
        """Whether its proofs can be checked."""
        return self.sealed_verifier is not None or self.sealed_secret is not None


@dataclass(frozen=True, slots=True)
class HostedDomain:
    """A domain whose mail we hold."""

    id: int  # the store's number for it; 0 before it is stored
    name: str  # canonical
    account: str
    destination: Destination
    authorized_hosts: AuthorizedHosts
    created_at: float
    policy: Policy = DEFAULT_POLICY


@dataclass(frozen=True)  # no slots: an index is kept beside the fields
class Directory:
    """Everything above, as it was at one change number. Replaced whole; never changed."""

    change_number: int = 0
    accounts: Mapping[str, Account] = field(default_factory=dict)  # by name
    logins: Mapping[str, Login] = field(default_factory=dict)  # by user name
    domains: Mapping[str, HostedDomain] = field(default_factory=dict)  # by canonical name
    channels: Mapping[int, Channel] = field(default_factory=dict)  # of notices, by id
    tokens: Mapping[str, ApiToken] = field(default_factory=dict)  # of the API, by id
    portal_users: Mapping[str, PortalUser] = field(default_factory=dict)  # by email address

    def domains_of(self, account: str) -> Iterator[HostedDomain]:
        """Yield an account's domains by name."""
        return iter(self._domains_by_account.get(account, ()))

    def logins_of(self, account: str) -> Iterator[Login]:
        """Yield an account's logins by user name."""
        return iter(self._logins_by_account.get(account, ()))

    def logins_with_key(self, key: str) -> Sequence[Login]:
        """Return the logins with a certificate of this key, as hex SHA-256."""
        return self._logins_by_key.get(key, ())

    @property
    def client_certificates(self) -> Sequence[str]:
        """The certificates of all logins, as PEM."""
        return self._client_certificates

    def channels_of(self, account: str) -> Sequence[Channel]:
        """Return an account's channels."""
        return self._channels_by_account.get(account, ())

    def tokens_of(self, account: str) -> Sequence[ApiToken]:
        """Return an account's tokens, in any state; the operator's own have the account ""."""
        return self._tokens_by_account.get(account, ())

    def portal_users_of(self, account: str) -> Sequence[PortalUser]:
        """Return an account's users of the portal; the operators have the account ""."""
        return self._portal_users_by_account.get(account, ())

    def passkey(self, credential_id: bytes) -> tuple[PortalUser, PortalPasskey] | None:
        """Find a passkey and its user by the id of its credential."""
        return self._passkeys.get(credential_id)

    def user_of_identity(self, issuer: str, subject: str) -> PortalUser | None:
        """Find the user with an identity at a provider of OpenID Connect."""
        return self._users_by_identity.get((issuer, subject)) if subject else None

    def invited_by(self, secret_hash: bytes) -> PortalUser | None:
        """Return the user whose invitation has a secret with this hash, good or over."""
        return self._invited.get(secret_hash)

    def channel(self, account: str, name: str) -> Channel | None:
        """Find an account's channel by its name; the operator's own have the account ""."""
        return next((one for one in self.channels_of(account) if one.name == name), None)

    def hearers(self, facts: NoticeFacts) -> Iterator[Channel]:
        """Yield the channels that receive it: those of its account, and the operator's own."""
        for account in dict.fromkeys((facts.account, "")):
            yield from (channel for channel in self.channels_of(account) if channel.receives(facts))

    def domain_by_id(self, domain_id: int) -> HostedDomain | None:
        """Find a domain by the store's number."""
        return self._by_id.get(domain_id)

    def per_minute(self, destination: str) -> int | None:
        """Return how many messages a minute may go to `host:port`: the least of its domains."""
        return self._rates.get(destination)

    def make_indexes(self) -> None:
        """Make now, while nobody waits, the indexes that are otherwise made on first use."""
        _ = (
            self._rates,
            self._domains_by_account,
            self._logins_by_account,
            self._logins_by_key,
            self._client_certificates,
            self._channels_by_account,
            self._tokens_by_account,
            self._portal_users_by_account,
            self._passkeys,
            self._users_by_identity,
            self._invited,
            self._by_id,
        )

    @cached_property
    def _rates(self) -> Mapping[str, int]:
        rates: dict[str, int] = {}
        for domain in self.domains.values():
            text, rate = domain.destination.text, domain.destination.per_minute
            if rate is not None:
                rates[text] = min(rate, rates.get(text, rate))
        return rates

    @cached_property
    def _domains_by_account(self) -> Mapping[str, Sequence[HostedDomain]]:
        return _grouped(self.domains[name] for name in sorted(self.domains))

    @cached_property
    def _logins_by_account(self) -> Mapping[str, Sequence[Login]]:
        return _grouped(self.logins[user] for user in sorted(self.logins))

    @cached_property
    def _logins_by_key(self) -> Mapping[str, Sequence[Login]]:
        logins: dict[str, list[Login]] = {}
        for login in self.logins.values():
            for key in {one.key for one in login.certificates}:
                logins.setdefault(key, []).append(login)
        return logins

    @cached_property
    def _client_certificates(self) -> Sequence[str]:
        return [one.pem for login in self.logins.values() for one in login.certificates]

    @cached_property
    def _channels_by_account(self) -> Mapping[str, Sequence[Channel]]:
        return _grouped(self.channels.values())

    @cached_property
    def _tokens_by_account(self) -> Mapping[str, Sequence[ApiToken]]:
        return _grouped(self.tokens.values())

    @cached_property
    def _portal_users_by_account(self) -> Mapping[str, Sequence[PortalUser]]:
        return _grouped(self.portal_users[email] for email in sorted(self.portal_users))

    @cached_property
    def _passkeys(self) -> Mapping[bytes, tuple[PortalUser, PortalPasskey]]:
        return {
            passkey.credential_id: (user, passkey)
            for user in self.portal_users.values()
            for passkey in user.passkeys
        }

    @cached_property
    def _users_by_identity(self) -> Mapping[tuple[str, str], PortalUser]:
        return {
            (user.oidc_issuer, user.oidc_subject): user
            for user in self.portal_users.values()
            if user.oidc_subject
        }

    @cached_property
    def _invited(self) -> Mapping[bytes, PortalUser]:
        invited = (user for user in self.portal_users.values() if user.invitation is not None)
        return {user.invitation.secret_hash: user for user in invited if user.invitation}

    @cached_property
    def _by_id(self) -> Mapping[int, HostedDomain]:
        return {domain.id: domain for domain in self.domains.values()}


_Record = TypeVar("_Record", HostedDomain, Login, Channel, ApiToken, PortalUser)


def _grouped(records: Iterable[_Record]) -> dict[str, list[_Record]]:
    """Return records by account, in the order in which they come."""
    groups: dict[str, list[_Record]] = {}
    for record in records:
        groups.setdefault(record.account, []).append(record)
    return groups
