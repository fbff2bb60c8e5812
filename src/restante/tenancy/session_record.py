"""The session of a portal user as it is recorded. Pure.

The browser holds 256 random bits, the record only their SHA-256. So a stolen store signs nobody in.

Times are Unix time, because a session outlives the process. A record from the future comes from a
clock that was set back: it ends the session, and no factor counts as recent.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Final

from restante.tenancy.portal_user import PortalUser
from restante.tenancy.sign_in_factor import Factors

FRESH_SECONDS: Final = 300.0  # after a factor was shown, for critical actions
_SECRET_OCTETS: Final = 32
_SECRET_LENGTH: Final = 43  # characters of the secret in Base64
_SLACK: Final = 60.0  # seconds that a clock may be set back without an effect


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long sessions last, in seconds."""

    idle: float  # without a request
    whole: float  # from the sign-in


OF_OPERATORS: Final = SessionLimits(idle=1800.0, whole=43_200.0)
OF_ACCOUNTS: Final = SessionLimits(idle=43_200.0, whole=604_800.0)


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """A session of a user. Times are Unix time."""

    id_hash: bytes  # SHA-256 of the secret that the browser holds
    email: str  # of the user
    stamp: bytes  # `PortalUser.stamp` at the sign-in
    factors: Factors  # that were shown at the sign-in
    address: str  # of the client, at the sign-in
    agent: str  # the browser's name for itself
    signed_in_at: float
    proved_at: float  # when a factor was last shown
    used_at: float

    @property
    def key(self) -> str:
        """The name of the session in lists. It opens nothing."""
        return self.id_hash[:8].hex()

    def is_of(self, user: PortalUser, now: float) -> bool:
        """Return whether this user, as it is now recorded, is signed in by it at a Unix time."""
        limits = limits_of(user)
        return (
            user.email == self.email
            and not user.needs_second_factor
            and hmac.compare_digest(user.stamp, self.stamp)
            and -_SLACK <= now - self.signed_in_at < limits.whole
            and -_SLACK <= now - self.used_at < limits.idle
        )

    def fresh_until(self, now: float) -> float:
        """Return until when a critical action needs no factor again; 0.0 after a clock's step."""
        return self.proved_at + FRESH_SECONDS if self.proved_at <= now + _SLACK else 0.0


def limits_of(user: PortalUser) -> SessionLimits:
    """Return how long sessions of a user last."""
    return OF_ACCOUNTS if user.account else OF_OPERATORS


def new_session_secret() -> str:
    """Return the secret of a new session: 256 random bits."""
    return secrets.token_urlsafe(_SECRET_OCTETS)


def hash_session_secret(secret: str) -> bytes | None:
    """Return what is recorded of a secret; None for a text that is none."""
    if len(secret) != _SECRET_LENGTH or not secret.isascii():
        return None
    return hashlib.sha256(secret.encode()).digest()


def form_token(secret: str) -> str:
    """Return the token that each form of the session has. It does not tell the secret."""
    digest = hmac.digest(secret.encode(), b"form", "sha256")
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
