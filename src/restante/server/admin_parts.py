"""The groups of the parts that show a server and let an operator act, loaded when needed."""

from dataclasses import dataclass

from restante.admin.admin_context import AdminContext
from restante.admin.change_keeper import ChangeKeeper
from restante.admin.drill_keeper import DrillKeeper
from restante.admin.event_feed import EventFeed
from restante.admin.portal_sessions import PortalSessions
from restante.admin.proof_keeper import ProofKeeper
from restante.admin.token_uses import TokenUses
from restante.server.server_instruments import ServerInstruments


@dataclass(frozen=True, slots=True)
class RecordKeepers:
    """The parts that act on records by themselves, when their time comes."""

    changes: ChangeKeeper
    proofs: ProofKeeper
    drills: DrillKeeper


@dataclass(frozen=True, slots=True)
class AdminParts:
    """The parts that show the server and let an operator act."""

    context: AdminContext
    feed: EventFeed
    instruments: ServerInstruments
    token_uses: TokenUses
    sessions: PortalSessions
    keepers: RecordKeepers
