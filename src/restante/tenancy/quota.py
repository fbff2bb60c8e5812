"""How much a domain or an account may hold, and how full it is. Pure."""

from dataclasses import dataclass
from typing import Final

WARNING_PERCENT: Final = 80
FULL_PERCENT: Final = 100
_STEPS: Final = (FULL_PERCENT, WARNING_PERCENT)


@dataclass(frozen=True, slots=True)
class Quota:
    """The most that may be held, refused mail included. None: no limit but the disk's."""

    octets: int | None = None
    messages: int | None = None

    @property
    def is_none(self) -> bool:
        """There is no limit."""
        return self.octets is None and self.messages is None

    def has_room(self, octets: int, messages: int, size: int = 0) -> bool:
        """Tell whether one more message of `size` octets fits; 0 if the size is not known.

        Without a size a message fits as long as there is any room at all; it is asked again when
        all of it has come.
        """
        if self.messages is not None and messages >= self.messages:
            return False
        return self.octets is None or octets + max(size, 1) <= self.octets

    def step(self, octets: int, messages: int) -> int:
        """Return the highest step reached, in percent: 100, 80 or 0."""
        return next((step for step in _STEPS if self._is_filled(octets, messages, step)), 0)

    def _is_filled(self, octets: int, messages: int, percent: int) -> bool:
        return any(
            limit is not None and used * 100 >= limit * percent
            for used, limit in ((octets, self.octets), (messages, self.messages))
        )


NO_QUOTA: Final = Quota()


@dataclass(frozen=True, slots=True)
class DomainQuotas:
    """The quotas for mail of a domain: its own, and that of its account."""

    domain: str
    own: Quota
    account: str
    of_account: Quota
