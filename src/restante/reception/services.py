"""Services that the dialogues of one listener share, and the tally of each session."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from restante.checks.check_runner import CheckRunner
from restante.mail.address import Mailbox
from restante.reception.admission import AdmissionSettings
from restante.reception.after_holding import Arrivals
from restante.reception.auth_gate import AuthGate
from restante.reception.content_buffer import Spawn
from restante.reception.disk_space import DiskSpace
from restante.reception.domain_facts import FactsLookup
from restante.reception.intake import Intake
from restante.reception.memory_budget import MemoryBudget
from restante.reception.reception_settings import ReceptionSettings
from restante.release.releaser import Releaser
from restante.store.content_store import ContentStore
from restante.store.live_directory import LiveDirectory
from restante.store.reception_store import ReceptionStore
from restante.telemetry.event_bus import Log
from restante.tenancy.model import HostedDomain

Callout = Callable[[HostedDomain, Mailbox], Awaitable[bool | None]]
"""Asks a domain's destination whether a mailbox exists; None if it cannot be known now."""


def _never_away() -> str:
    """For a store that can always be reached."""
    return ""


async def _nothing_known(_domain: HostedDomain, _path: Mailbox) -> bool | None:
    return None


@dataclass(frozen=True, slots=True)
class Services:
    """The services that all dialogues of the server share."""

    directory: LiveDirectory
    store: ReceptionStore
    held_content: ContentStore
    intake: Intake
    auth_gate: AuthGate
    releaser: Releaser
    log: Log
    memory_budget: MemoryBudget
    spawn: Spawn
    settings: ReceptionSettings
    admission_settings: AdmissionSettings
    facts: FactsLookup
    arrivals: Arrivals
    disk_space: DiskSpace = field(default_factory=DiskSpace)
    store_absence: Callable[[], str] = _never_away  # why the store cannot be reached now
    callout: Callout = _nothing_known
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
