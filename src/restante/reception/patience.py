"""How long a client may take. Pure: the time is an argument.

A client that sends a byte now and then must not keep a session for ever. So waiting does not begin anew with each byte:
for a command it begins when the last one was complete, and in content what has come tops the time up at the least rate
that is let through (as Postfix's smtpd_min_data_rate does).
"""

from dataclasses import dataclass

HURRY = 0.1  # of each time, while most session slots are taken (Postfix's stress-adaptive timeouts)


@dataclass(slots=True)
class Patience:
    """Since when we wait, in seconds of any clock."""

    since: float

    def restart(self, now: float) -> None:
        """Begin to wait anew: the client has done a whole thing, or it was we who kept it waiting."""
        self.since = now

    def top_up(self, octets: int, minimum_rate: float, now: float) -> None:
        """Grant the time that so much content may take."""
        self.since = min(now, self.since + octets / minimum_rate)

    def is_over(self, limit: float, now: float) -> bool:
        """Tell whether the client has had more than `limit` seconds."""
        return now - self.since > limit
