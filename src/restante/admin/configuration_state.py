"""The state of the running configuration, as `status` shows it."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class ConfigurationState:
    """The running configuration, and the result of the last reload. Times are Unix time."""

    read_at: float  # when the running configuration was read
    reload_failed_at: float | None = None  # of the last reload, if that failed; it changed nothing
    reload_failure: str = ""  # why
    restart_for: tuple[str, ...] = ()  # settings and listeners of the file that wait for a restart
    warnings: tuple[str, ...] = ()  # as of `config check`, on the names and the disk of the server
    unread: tuple[str, ...] = ()  # settings that were changed in the file and wait for a reload
    file_error: str = ""  # why the file as it is now would not be accepted
    is_file_changed: bool = False  # it was, and the server may not read how
    unseen: str = ""  # why the server cannot see edits of the file
    unread_certificates: tuple[str, ...] = ()  # changed files of certificates and keys
    certificate_error: str = ""  # why these would not be accepted

    def failed(self, at: float, why: str) -> "ConfigurationState":
        """Return the state after a reload that failed."""
        return replace(self, reload_failed_at=at, reload_failure=why)
