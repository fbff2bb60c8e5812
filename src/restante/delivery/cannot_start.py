"""The error for a drain that cannot start."""


class CannotStart(Exception):  # noqa: N818
    """No drain can be started now; the mail stays held. The text says why."""
