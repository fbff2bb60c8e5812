"""Services that the dialogues of one listener share, and the tally of each session."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from restante.checks.check_runner import CheckRunner
from restante.reception.auth_gate import AuthGate
from restante.reception.content_buffer import ContentParts
from restante.reception.disk_space import DiskSpace
from restante.reception.intake import Intake
from restante.reception.reception_settings import ReceptionSettings
from restante.reception.recipient_admission import AdmissionParts
from restante.release.releaser import Releaser
from restante.telemetry.event_bus import Log


class StorePresence(Protocol):
    """Whether the store can be used now (store/upkeep_store.py)."""

    @property
    def absence(self) -> str:
        """Why it takes no mail; "" while it does."""

    @property
    def is_reachable(self) -> bool:
        """Whether it answers."""


@dataclass(frozen=True, slots=True)
class DialogueServices:
    """The services that all dialogues of the server share."""

    admission: AdmissionParts
    content: ContentParts
    intake: Intake
    auth_gate: AuthGate
    releaser: Releaser
    store: StorePresence
    log: Log
    settings: ReceptionSettings
    disk_space: DiskSpace = field(default_factory=DiskSpace)
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
