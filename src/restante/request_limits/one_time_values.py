"""Values that are good once, for a short time, by an unguessable key. Pure: time is an argument.

They are challenges of passkeys, sign-ins at a provider that have begun, and links into the portal.
Strangers begin most of them, so their number is bounded twice. Of one owner, such as an address
block, the oldest goes first. If all of them are too many, the oldest of the owner with the most
goes: a flood costs its own sender first.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

MOST_OF_OWNER: Final = 20
MOST_IN_ALL: Final = 4000

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class _Kept(Generic[_Value]):
    value: _Value
    owner: str
    until: float


class OneTimeValues(Generic[_Value]):
    """Keeps values until they are taken, or their time is over."""

    def __init__(
        self, seconds: float, most_of_owner: int = MOST_OF_OWNER, most: int = MOST_IN_ALL
    ) -> None:
        self._seconds = seconds
        self._most_of_owner = most_of_owner
        self._most = most
        self._kept: OrderedDict[str, _Kept[_Value]] = OrderedDict()  # the oldest first
        self._of_owners: dict[str, OrderedDict[str, None]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def put(self, key: str, value: _Value, owner: str, now: float) -> None:
        """Keep a value. `key` is random, and used for one value only."""
        self._forget_old(now)
        own = self._of_owners.get(owner, OrderedDict())
        if len(own) >= self._most_of_owner:
            self._pop(next(iter(own)))
        elif len(self._kept) >= self._most:
            most = max(self._of_owners.values(), key=len)
            self._pop(next(iter(most)))
        self._kept[key] = _Kept(value, owner, now + self._seconds)
        self._of_owners.setdefault(owner, OrderedDict())[key] = None

    def peek(self, key: str, now: float) -> _Value | None:
        """Return the value that `take` would return, and leave it."""
        found = self._kept.get(key)
        return found.value if found is not None and now < found.until else None

    def take(self, key: str, now: float) -> _Value | None:
        """Return a value and forget it; None if it was taken, is too old, or never was there."""
        found = self._pop(key) if key in self._kept else None
        return found.value if found is not None and now < found.until else None

    def _forget_old(self, now: float) -> None:
        while self._kept and next(iter(self._kept.values())).until <= now:
            self._pop(next(iter(self._kept)))

    def _pop(self, key: str) -> _Kept[_Value]:
        found = self._kept.pop(key)
        own = self._of_owners[found.owner]
        del own[key]
        if not own:
            del self._of_owners[found.owner]
        return found
