"""The limits of requests by their route.

Long ones move mail, export the history, or follow events: they may be large and take long. The
others have a limit of octets, so that no body keeps the event loop busy for long.
"""

import re
from typing import Final

BODY_OCTETS: Final = 64 * 1024
RECORD_OCTETS: Final = 128 * 1024  # domains with certificates, tokens with many domains
LIST_OCTETS: Final = 1024 * 1024  # configuration, lists of recipients, entries of a history

_LONG: Final = frozenset(
    {
        ("POST", "/v1/queue/import"),
        ("POST", "/v1/queue/export"),
        ("GET", "/v1/events"),
        ("GET", "/v1/history"),
    }
)
_LISTS: Final = re.compile(r"/v1/apply|/v1/domains/[^/]+/recipients|/v1/queue/delete-left")
_RECORDS: Final = re.compile(r"/v1/domains(/[^/]+)?|/v1/tokens")


def is_long(method: str, path: str) -> bool:
    """Return whether the limits of octets and of time do not hold for a request."""
    return (method, path) in _LONG


def body_limit(path: str) -> int:
    """Return the limit of a body, in octets, for a request that is not long."""
    if _LISTS.fullmatch(path):
        return LIST_OCTETS
    return RECORD_OCTETS if _RECORDS.fullmatch(path) else BODY_OCTETS
