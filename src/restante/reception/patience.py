"""How long a client may take. Pure: the time is an argument.

A client that sends a byte now and then must not keep a session permanently. So a byte does not
restart the wait. For a command, it begins when the last command was complete. For content, each
octet adds time at the minimum rate (as with Postfix's smtpd_min_data_rate).
"""

from dataclasses import dataclass

HURRY = 0.1  # of each time, while most session slots are taken (Postfix's stress-adaptive timeouts)


@dataclass(slots=True)
class Patience:
    """Since when we wait, in seconds of any clock."""

    since: float

    def restart(self, now: float) -> None:
        """Restart the wait: the client finished something, or was waiting for us."""
        self.since = now

    def top_up(self, octets: int, minimum_rate: float, now: float) -> None:
        """Grant the time that this much content may take."""
        self.since = min(now, self.since + octets / minimum_rate)

    def is_over(self, limit: float, now: float) -> bool:
        """Return whether the client has had more than `limit` seconds."""
        return now - self.since > limit
