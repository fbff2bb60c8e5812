"""Users of the portal: people, with a password and a second factor. Pure.

They are not the logins of an account. A login belongs to a mail server, and its secret must be
readable for CRAM-MD5.

A change of a user is stored only on top of the revision that it was made from. So one invitation,
one recovery code or one time step counts once, however many requests bring it at the same moment.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, replace
from typing import Final

from restante.tenancy.actor import Actor, ActorKind
from restante.tenancy.grants import Grant, GrantedRole, Scope
from restante.tenancy.principal import Principal, Role

PROVIDER: Final = "provider "  # begins the name of a provider that made a user
INVITATION_SECONDS: Final = 1800.0
LONGEST_EMAIL: Final = 254  # octets, RFC 5321 section 4.5.3.1.3 without the angle brackets
# The rights that a role of a person can have beside it.
EXTRA_SCOPES: Final = (Scope.CONTENT_READ, Scope.DOMAIN_DIRECT)
_SECRET_OCTETS: Final = 32
_MODEL_OCTETS: Final = 16  # of the id of an authenticator's model, before the length of the id
_LENGTH_OCTETS: Final = 2
_KEY_DIGITS: Final = 16
_SLACK: Final = 60.0  # seconds that the clock may be set back without an effect on a link
_EMAIL: Final = re.compile(
    r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class PortalPasskey:
    """A passkey of a user (WebAuthn). Times are Unix time."""

    credential: bytes  # attested credential data: WebAuthn level 3, section 6.5.1
    name: str
    sign_count: int  # as its authenticator told it last; 0 of one that does not count
    created_at: float
    used_at: float | None = None

    @property
    def credential_id(self) -> bytes:
        """The id, by which an assertion names it."""
        begin = _MODEL_OCTETS + _LENGTH_OCTETS
        length = int.from_bytes(self.credential[_MODEL_OCTETS:begin])
        return self.credential[begin : begin + length]

    @property
    def key(self) -> str:
        """A short name for forms. It opens nothing."""
        return hashlib.sha256(self.credential).hexdigest()[:_KEY_DIGITS]


@dataclass(frozen=True, slots=True)
class Invitation:
    """A one-time link that lets a user set a password. Only the hash of its secret is kept."""

    secret_hash: bytes  # SHA-256
    valid_until: float  # Unix time


@dataclass(frozen=True, slots=True)
class PortalUser:
    """A user of the portal as it is recorded. Times are Unix time."""

    email: str  # in lower case, unique over the whole platform
    account: str  # "" is an operator's
    grants: frozenset[Grant]  # one role, and scopes in addition to it
    created_by: str  # the principal's name
    created_at: float
    revision: int = 1  # of the record; each change adds one
    password_hash: str = ""  # Argon2id, PHC string; "" until the invitation was accepted
    sealed_totp: bytes | None = None  # the secret of the one-time codes, under the key file
    totp_step: int = 0  # the last step whose code was used
    recovery_hashes: tuple[bytes, ...] = ()  # SHA-256 of each code that was not used
    passkeys: tuple[PortalPasskey, ...] = ()
    oidc_issuer: str = ""
    oidc_subject: str = ""
    invitation: Invitation | None = None
    signed_in_at: float | None = None

    @property
    def role(self) -> GrantedRole:
        """The one role. Without any that this version knows: the least."""
        least = GrantedRole.ACCOUNT_READER if self.account else GrantedRole.OPERATOR_READER
        return next((one for one in GrantedRole if one in self.grants), least)

    @property
    def is_of_provider(self) -> bool:
        """Whether a provider made this user: its groups give the rights, at each sign-in."""
        return self.created_by.startswith(PROVIDER)

    @property
    def has_own_means(self) -> bool:
        """Whether this user can sign in without a provider."""
        return bool(self.password_hash) or bool(self.passkeys)

    @property
    def has_second_factor(self) -> bool:
        """Whether a password alone does not sign this user in."""
        return self.sealed_totp is not None or bool(self.passkeys)

    @property
    def needs_second_factor(self) -> bool:
        """Whether a second factor must be set up before anything else opens.

        A user without a password, who signs in at a provider, has factors there.
        """
        is_of_provider = bool(self.oidc_subject) and not self.password_hash
        return not self.account and not self.has_second_factor and not is_of_provider

    @property
    def handle(self) -> bytes:
        """The user handle of passkeys (WebAuthn): it tells nothing, and no later user has it."""
        return hashlib.sha256(f"passkeys\0{self.email}\0{self.created_at!r}".encode()).digest()

    @property
    def stamp(self) -> bytes:
        """A digest of password, rights and account. A session ends when it changes."""
        parts = (self.password_hash, self.account, str(self.created_at), *sorted(self.grants))
        return hashlib.sha256("\0".join(parts).encode()).digest()

    def is_invited_by(self, secret: str, now: float) -> bool:
        """Return whether this is the secret of an invitation that is still good."""
        found = self.invitation
        return (
            found is not None
            and hmac.compare_digest(found.secret_hash, hash_link_secret(secret))
            and found.valid_until - INVITATION_SECONDS - _SLACK <= now < found.valid_until
        )

    def changed(self, **fields: object) -> "PortalUser":
        """Return it with other values, as its next revision."""
        return replace(self, revision=self.revision + 1, **fields)  # type: ignore[arg-type]


def canonical_email(text: str) -> str:
    """Return an address in the one spelling that is recorded. Raises ValueError.

    Only characters of an unquoted ASCII address pass: nothing can end a header or a line.
    """
    email = text.strip().lower()
    if len(email) > LONGEST_EMAIL or not _EMAIL.fullmatch(email):
        raise ValueError("is not an email address")
    return email


def new_link_secret() -> str:
    """Return the secret of a one-time link: 256 random bits."""
    return secrets.token_urlsafe(_SECRET_OCTETS)


def hash_link_secret(secret: str) -> bytes:
    """Return what is recorded of a secret that cannot be guessed."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def user_actor(user: PortalUser) -> Actor:
    """Return the actor that a user is in records."""
    return Actor(ActorKind.USER, f"{user.email} ({user.account or 'operator'})")


def user_principal(user: PortalUser, acted_from: str) -> Principal:
    """Return the principal of a user that signed in."""
    return Principal(
        Role.ACCOUNT if user.account else Role.OPERATOR,
        user_actor(user),
        acted_from,
        user.account,
        (user.grants,),
        user=user.email,
    )
