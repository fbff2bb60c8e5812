"""The session of a request to the portal, as its pages see it."""

from dataclasses import dataclass
from typing import Protocol

from starlette.requests import Request

from restante.tenancy.principal import Principal


@dataclass(frozen=True, slots=True)
class PortalSession:
    """A user that is signed in, with the rights of this moment."""

    principal: Principal
    user: str  # the email address
    csrf: str  # belongs in each form, or in the header X-CSRF-Token
    fresh_until: float  # Unix time; until then a second factor was shown recently enough
    key: str = ""  # the name of the session in the user's list

    def is_fresh(self, now: float) -> bool:
        """Return whether a factor was shown recently enough for a critical action."""
        return now < self.fresh_until


class SessionReader(Protocol):
    """Finds the session of a request."""

    async def session_of(self, request: Request) -> PortalSession | None:
        """Return the session of a request; None if nobody is signed in. Raises StoreError.

        The rights are those of the user's record now. A user who lacks a factor that it needs has
        no session here.
        """
