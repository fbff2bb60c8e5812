"""Services that the dialogues of one listener share, and the tally of each session."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from restante.checks.check_runner import CheckRunner
from restante.reception.auth_gate import AuthGate
from restante.reception.content_buffer import ContentParts
from restante.reception.disk_space import DiskSpace
from restante.reception.intake import Intake
from restante.reception.reception_settings import ReceptionSettings
from restante.reception.recipient_admission import AdmissionParts
from restante.release.releaser import Releaser
from restante.telemetry.event_bus import Log


def _never_away() -> str:
    """For a store that can always be reached."""
    return ""


def _always() -> bool:
    """For a store that always answers."""
    return True


@dataclass(frozen=True, slots=True)
class DialogueServices:
    """The services that all dialogues of the server share."""

    admission: AdmissionParts
    content: ContentParts
    intake: Intake
    auth_gate: AuthGate
    releaser: Releaser
    log: Log
    settings: ReceptionSettings
    disk_space: DiskSpace = field(default_factory=DiskSpace)
    store_absence: Callable[[], str] = _never_away  # why the store takes no mail now
    is_store_reachable: Callable[[], bool] = _always
    checks: Sequence[CheckRunner] = ()  # in the order in which they are asked


@dataclass(slots=True)
class SessionTally:
    """The counts of a session, for its line in the log."""

    held: int = 0
    releases: int = 0
    authentication_failures: int = 0

    @property
    def achieved(self) -> int:
        """The number of achievements: messages held and releases granted."""
        return self.held + self.releases
