"""How often an account may make this server connect to one target. Pure: the time is an argument.

Without a limit, an account could make this server knock at a foreign host again and again.
"""

from typing import Final

SECONDS: Final = 60.0

_AccountTarget = tuple[str, str]  # account and target


class DialLimits:
    """Allows one check a minute of each key. It forgets a key after that time."""

    def __init__(self) -> None:
        self._last: dict[_AccountTarget, float] = {}

    def seconds_left(self, key: _AccountTarget, now: float) -> float:
        """Count a check and return 0, or return the seconds until it is allowed.

        `now` is monotonic, in seconds.
        """
        self._last = {one: at for one, at in self._last.items() if now - at < SECONDS}
        if key in self._last:
            return self._last[key] + SECONDS - now
        self._last[key] = now
        return 0.0
