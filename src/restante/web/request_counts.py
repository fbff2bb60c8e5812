"""The counts of the `web` listeners: requests, their time, and the refused ones."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

NO_ROUTE: Final = "(none)"  # of a request that reached no route


class RequestRefusal(StrEnum):
    """Why a request was refused before any action."""

    NO_CREDENTIALS = "no-credentials"
    NO_PROXY = "no-proxy"  # in clear text, past the trusted proxies
    TOO_MANY = "too-many-requests"  # at once
    STRANGERS = "too-many-of-strangers"
    TOO_LARGE = "too-large"
    TOO_SLOW = "too-slow"
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True)
class RefusedRequests:
    """The refused requests of one reason, and the client of the last of them."""

    count: int
    address: str


class RequestCounts:
    """Counts the requests of the `web` listeners. Belongs to the event loop."""

    def __init__(self) -> None:
        self._ended: Counter[tuple[str, ...]] = Counter()
        self._seconds: dict[tuple[str, ...], float] = {}
        self._refused: dict[RequestRefusal, RefusedRequests] = {}
        self.running = 0  # requests now

    @property
    def ended(self) -> Mapping[tuple[str, ...], int]:
        """The answered requests, by the template of their route and the class of their status."""
        return self._ended

    @property
    def seconds(self) -> Mapping[tuple[str, ...], float]:
        """The seconds that their answers took, by the template of their route."""
        return self._seconds

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Count one answer."""
        self._ended[route, f"{status // 100}xx"] += 1
        self._seconds[route,] = self._seconds.get((route,), 0.0) + seconds

    def refused(self, reason: RequestRefusal, address: str) -> None:
        """Count one refused request."""
        before = self._refused.get(reason)
        self._refused[reason] = RefusedRequests(before.count + 1 if before else 1, address)

    def take_refused(self) -> Mapping[RequestRefusal, RefusedRequests]:
        """Return the refused requests since the last call, by reason."""
        refused, self._refused = self._refused, {}
        return refused
