"""The cost of sealing: the same server with `seal_content = true` and without, by turns.

`restante init` seals, so *Restante* is the sealing one here as in all rows. Both are filled or
loaded in the same way. Targets are about the ratio of CPU seconds within a round.
"""

from typing import Final

from bench.load.load import Load
from bench.rows.accept import KIB, MIB, AcceptRow
from bench.rows.drain import CHUNKING, DrainRow, Subject
from bench.rows.row import Extent, Row
from bench.servers.park import RESTANTE, UNSEALED, Park

SUBJECTS: Final = (RESTANTE, UNSEALED)
_SIZES: Final = (  # octets, name, title, messages
    (4 * KIB, "4k", "4 KiB", 6000),
    (MIB, "1m", "1 MiB", 200),
)
_SESSIONS: Final = 20


def sealing_accept_row(park: Park, octets: int, name: str, title: str, messages: int) -> AcceptRow:
    """Return mail that comes in over kept connections."""
    load = Load(messages, octets, _SESSIONS, is_kept=True)
    what = f"sealing, accept {title}, {_SESSIONS} sessions, kept connections"
    return AcceptRow(f"sealing-accept-{name}", what, load, park, SUBJECTS)


def sealing_drain_row(park: Park, octets: int, name: str, title: str, messages: int) -> DrainRow:
    """Return mail that is handed over to a sink on this machine."""
    subjects = [Subject(server, CHUNKING, messages, octets) for server in SUBJECTS]
    row = DrainRow(park, 0, subjects)
    row.name = f"sealing-drain-{name}"
    row.title = f"sealing, drain {title} on this machine"
    row.ratios = [(subjects[0].text, subjects[1].text)]
    return row


def sealing_rows(park: Park, extent: Extent) -> list[Row]:
    """Return a row for each direction and size."""
    if extent is Extent.QUICK:
        return []
    return [row(park, *size) for size in _SIZES for row in (sealing_accept_row, sealing_drain_row)]
