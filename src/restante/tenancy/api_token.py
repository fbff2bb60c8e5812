"""Tokens of the API: how they are spelled, recorded and checked. Pure.

    rst_  k3v9x0q2ma  _  43 characters of base64url
          the id         the secret, 256 random bits

The secret is shown once. The record has its SHA-256 only: a secret that cannot be guessed needs no
slow hash. The prefix lets scanners of source code find a token that was left there.
"""

import hashlib
import hmac
import ipaddress
import re
import secrets
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from restante.stable_word import StableWord
from restante.tenancy.grants import Grant

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
PREFIX: Final = "rst_"
_ID_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz0123456789"
_ID_LENGTH: Final = 10
_SECRET_OCTETS: Final = 32
_FORM: Final = re.compile(rf"{PREFIX}([a-z0-9]{{{_ID_LENGTH}}})_([A-Za-z0-9_-]{{43}})")
MAX_TEXT_LENGTH: Final = 200  # characters; nothing longer is compared with the form


class TokenState(StableWord):
    """Whether a token is accepted, and why not."""

    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"
    MAKER_GONE = "maker-gone"  # its maker was revoked, expired or removed


class MadeKind(StableWord):
    """The kinds of records that a token can make."""

    USER = "user"
    LOGIN = "login"
    CHANNEL = "channel", "notice channel"
    TOKEN = "token"  # noqa: S105  a name
    DOMAIN = "domain"


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token as it is recorded. Times are Unix time."""

    id: str
    account: str  # "" is the operator's
    name: str
    secret_hash: bytes  # SHA-256
    grants: frozenset[Grant]  # roles and scopes; it may do what any of these allows
    created_by: str  # the principal's name
    created_at: float
    domains: tuple[str, ...] = ()  # canonical names; empty: all that it would see otherwise
    networks: tuple[_Network, ...] = ()  # from where it may be used; empty: from everywhere
    expires_at: float | None = None  # None: never
    revoked_at: float | None = None
    # The id of the token or the email address of the portal user that made it; "" for an operator
    # at the command line.
    maker: str = ""

    def revoked(self, at: float) -> "ApiToken":
        """Return it as revoked."""
        return replace(self, revoked_at=at)

    def is_over(self, now: float) -> bool:
        """Return whether it was revoked or has expired."""
        return self.own_state(now) is not TokenState.ACTIVE

    def own_state(self, now: float) -> TokenState:
        """Return its state, whatever that of its maker."""
        if self.revoked_at is not None:
            return TokenState.REVOKED
        if self.expires_at is not None and self.expires_at <= now:
            return TokenState.EXPIRED
        return TokenState.ACTIVE

    def admits(self, address: _Address | None) -> bool:
        """Return whether it may be used from an address; None is an unknown one."""
        if not self.networks:
            return True
        return address is not None and any(address in network for network in self.networks)

    def has_secret(self, secret: str) -> bool:
        """Return whether this is its secret, in a time that does not depend on the answer."""
        return hmac.compare_digest(self.secret_hash, hash_secret(secret))


class PresentedToken(NamedTuple):
    """The two parts of a token's text."""

    id: str
    secret: str


def new_secret() -> tuple[PresentedToken, str]:
    """Return the parts of a new token, and its whole text: shown once, then forgotten."""
    token_id = "".join(secrets.choice(_ID_ALPHABET) for _ in range(_ID_LENGTH))
    secret = secrets.token_urlsafe(_SECRET_OCTETS)
    return PresentedToken(token_id, secret), f"{PREFIX}{token_id}_{secret}"


def read_token(text: str) -> PresentedToken | None:
    """Return the parts of a text that has the form of a token; None for any other."""
    found = _FORM.fullmatch(text) if len(text) <= MAX_TEXT_LENGTH else None
    return PresentedToken(found[1], found[2]) if found else None


def token_inside(text: str) -> str | None:
    """Return the id of a token inside a text, such as a URL; None if there is none."""
    found = _FORM.search(text)
    return found[1] if found else None


def hash_secret(secret: str) -> bytes:
    """Return what is recorded of a secret."""
    return hashlib.sha256(secret.encode()).digest()
