"""What delivery says when it cannot do what was asked."""


class CannotStart(Exception):  # noqa: N818
    """No drain can be started now; the mail stays held. The text says why."""
