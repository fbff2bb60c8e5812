"""The errors for drains and turnarounds that cannot start."""


class CannotStart(Exception):  # noqa: N818
    """No drain can be started now; the mail stays held. The text says why."""


class TurnaroundBusy(Exception):  # noqa: N818
    """Another turnaround of the account is running."""

    def __init__(self) -> None:
        super().__init__("another turnaround of the account is running")
