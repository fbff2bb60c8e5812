"""The result of AUTH, and the limit that deferred it, as events and metrics name them."""

from enum import StrEnum


class AuthenticationResult(StrEnum):
    """The result of one exchange."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    EXPIRED = "expired"  # the right password of a login that has expired; the client learns no more
    DEFERRED = "deferred"  # by a limit, before the password was checked


class AuthenticationLimit(StrEnum):
    """The limit that deferred an exchange, or the absence of the store."""

    ATTEMPTS = "attempts-per-minute"
    FAILURES = "failures"
    AT_ONCE = "at-once"
    STORE_AWAY = "store-away"
