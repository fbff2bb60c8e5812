"""Content in memory over all sessions: the one number that keeps the process from growing with its clients."""


class OctetsInFlight:
    """Counts content in memory."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.now = 0

    @property
    def is_over(self) -> bool:
        """There is no room: content must go to disk at once, and its reader wait for that."""
        return self.now >= self.limit

    def add(self, octets: int) -> None:
        """Count content that came in."""
        self.now += octets

    def remove(self, octets: int) -> None:
        """Count content no longer: it is on disk, held, or forgotten."""
        self.now -= octets
