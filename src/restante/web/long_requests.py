"""The requests that may be large and take long: they move mail, or follow events."""

from typing import Final

_LONG: Final = frozenset(
    {
        ("POST", "/v1/queue/import"),
        ("POST", "/v1/queue/export"),
        ("GET", "/v1/events"),
    }
)


def is_long(method: str, path: str) -> bool:
    """Return whether the limits of octets and of time do not hold for a request."""
    return (method, path) in _LONG
