"""How many wrong secrets a client may have compared with a stored one. Pure: the time is given.

A request to add a record again says whether its password is the stored one, and so does a dry run.
Without a limit, a token could find the password of a login in silence, or that of a destination,
which is never shown.
"""

from typing import Final

from restante.request_limits.failed_logins import FailureLedger

MOST_WRONG: Final = 10  # for one record
MEMORY: Final = 900.0  # seconds


class SecretGuesses:
    """The wrong secrets of the last quarter of an hour, by record."""

    def __init__(self) -> None:
        self._wrong = FailureLedger(MOST_WRONG, MEMORY)

    def may_tell(self, record: str, now: float, *, is_right: bool) -> bool:
        """Return whether a client may be told how its secret compares, and count a wrong one.

        After too many wrong ones, a right one is not told either. `now` is monotonic, in seconds.
        """
        if self._wrong.is_refused([record], now):
            return False
        if not is_right:
            self._wrong.failed([record], now)
        return True
