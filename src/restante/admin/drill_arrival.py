"""Reads back the header of a drill's message as it arrived: the client that the primary judged.

A drill leaves the beginning of its message as a mark of the domain, once the destination has taken
it. The token in its Message-ID is a keyed digest of domain and beginning (`drill_leftovers`). So
the header of another message, or of another domain, is refused. The result is a mark too. It stays
until another header is read.

The rest of the header can be invented. It changes only a row of the domain's check.
"""

import hmac
from dataclasses import replace
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.auditing import announce, entry
from restante.admin.domain_snippets import outgoing_addresses
from restante.admin.domains import find_domain
from restante.admin.drill_leftovers import DrillBeginning
from restante.admin.drill_records import drill_facts_of
from restante.admin.permissions import AdminAction, permit
from restante.admin.request_bounds import LineText
from restante.mail.received_field import HEADER_OCTETS
from restante.readiness.arrived_header import ArrivedHeader, read_arrived
from restante.readiness.drill_message import drill_id_start
from restante.readiness.filter_trust import FilterTrust, TrustFacts, filter_trust, trust_row
from restante.readiness.readiness_row import ReadinessVerdict
from restante.store.retention_store import RetentionStore
from restante.tenancy.audit import AuditAction
from restante.tenancy.model import HostedDomain

_MESSAGE: Final = "drill-message"  # the beginning of the last one that arrived
_TRUST: Final = "drill-trust"  # the place of the word
_READ: Final = "drill-read"  # when
_DESTINATION: Final = "drill-read-destination"  # the one that took the message
_WORDS: Final = (  # their places are in the store: add at the end
    FilterTrust.CLIENT,
    FilterTrust.CLIENT_BY_SERVER,
    FilterTrust.US,
    FilterTrust.US_BY_SERVER,
    FilterTrust.ALIKE,
    FilterTrust.NOT_FOUND,
)


class DrillArrival(BaseModel):
    """The header of a drill's message, as it is in the mailbox of the primary."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    header: Annotated[str, Field(min_length=1, max_length=HEADER_OCTETS)]
    reason: LineText = ""


class DrillArrivalView(BaseModel):
    """The client that the primary has judged."""

    domain: str
    verdict: ReadinessVerdict
    trust: FilterTrust
    evidence: str
    remedy: str  # "" where nothing has to be done
    client: str  # the address from which the drill's message came to this server
    judged: tuple[str, ...]  # the addresses that filters have judged
    server_client: str  # the client in the Received field of the primary's mail server


async def note_arrived(marks: RetentionStore, beginning: DrillBeginning) -> None:
    """Note the message of a drill that passed. Raises StoreError."""
    await marks.keep_mark(beginning.domain_id, _MESSAGE, beginning.at)


async def trust_facts_of(marks: RetentionStore, domain_id: int) -> TrustFacts | None:
    """Return the result that was read back last; None without one. Raises StoreError."""
    place = (await marks.marks(_TRUST, [domain_id])).get(domain_id)
    at = (await marks.marks(_READ, [domain_id])).get(domain_id)
    if place is None or at is None or not 0 <= place < len(_WORDS):
        return None
    destination = (await marks.marks(_DESTINATION, [domain_id])).get(domain_id)
    return TrustFacts(_WORDS[int(place)], at, destination)


async def read_arrival(context: AdminContext, name: str, arrival: DrillArrival) -> DrillArrivalView:
    """Read the header of the last drill's message, and keep the result.

    Raises AdminError, also for the header of another message, and StoreError.
    """
    permit(context.principal, AdminAction.DOMAIN_DRILL)
    domain = find_domain(context, name)
    content = arrival.header.encode("utf-8", "replace")
    header = read_arrived(content)
    await _check_message(context, domain, header)
    trust = filter_trust(header, await outgoing_addresses(context.network, domain.destination))
    marks, now = context.store.retention, context.now()
    await marks.keep_mark(domain.id, _TRUST, float(_WORDS.index(trust)))
    await marks.keep_mark(domain.id, _READ, now)
    proven = (await drill_facts_of(marks, domain.id)).destination
    await marks.keep_mark(domain.id, _DESTINATION, proven)
    await _record(context, domain, header, trust, arrival.reason)
    facts = TrustFacts(trust, now, proven).at(domain.destination)
    row = trust_row(domain.name, facts, now)
    return DrillArrivalView(
        domain=domain.name,
        verdict=row.verdict,
        trust=trust,
        evidence=row.evidence,
        remedy=row.remedy,
        client=header.client,
        judged=header.of_filters,
        server_client=header.of_server,
    )


async def _check_message(
    context: AdminContext, domain: HostedDomain, header: ArrivedHeader
) -> None:
    """Raise AdminError unless the header is of the message of the domain's last drill."""
    at = (await context.store.retention.marks(_MESSAGE, [domain.id])).get(domain.id)
    if at is None:
        error = f"drill: no message of a drill of {domain.name} is on record"
        raise AdminError(ErrorKind.CONFLICT, error, f"`restante drill {domain.name}` first")
    beginning = DrillBeginning(domain.id, domain.name, at)
    start = drill_id_start(beginning.token(context.vault))
    given = header.message_id[: len(start)].encode("utf-8", "replace")
    if not hmac.compare_digest(given, start.encode()):
        error = f"header: its Message-ID is not that of the last drill of {domain.name}"
        remedy = f"give the header of the message whose Message-ID begins with {start}"
        raise AdminError(ErrorKind.INVALID, error, remedy)
    if not header.client:
        error = "header: it has no Received field of the server that drilled"
        raise AdminError(ErrorKind.INVALID, error, "give the whole header, as it is in the mailbox")


async def _record(
    context: AdminContext,
    domain: HostedDomain,
    header: ArrivedHeader,
    trust: FilterTrust,
    reason: str,
) -> None:
    text = f"header of its message read: {trust}"
    recorded = entry(
        context,
        AuditAction.DOMAIN_DRILLED,
        domain.name,
        domain.account,
        f"{reason}; {text}" if reason else text,
        domain=domain.name,
    )
    judged = header.of_filters[0] if header.of_filters else header.of_server
    said = f"client {header.client}, judged {judged or 'nobody'}"
    recorded = replace(recorded, answer=said)
    await context.store.audit.record([recorded])
    announce(context, recorded)
