"""The facts of a delivery connection, and the verdict on it when it has ended."""

from dataclasses import dataclass
from typing import Final

from restante.delivery.link_plan import ConnectionEnd, EndKind, SendingManner
from restante.mail.message import HeldMessage
from restante.smtp.chunking_probe import PROBE_MAIL
from restante.smtp.client_session import ClientSession
from restante.smtp.client_transaction import AUTH, DATA, EHLO, MAIL, RCPT, STARTTLS
from restante.smtp.pipelining import Pipelining

_OPENING_STEPS: Final = (MAIL, RCPT, DATA)


@dataclass(slots=True)
class ConnectionRecord:
    """Counts and facts of one connection."""

    begun: int = 0  # transactions
    ended: int = 0  # those that have an outcome
    windows_settled: int = 0
    was_ready: bool = False  # transactions could begin
    was_closed: bool = False  # by the destination
    was_silent: bool = False  # until we gave up
    is_astray: bool = False  # the destination sent a malformed or unexpected reply
    reported_cut: HeldMessage | None = None  # has an outcome, although its transaction did not end
    kind: EndKind | None = None  # set once: the connection is over
    reason: str = ""

    @property
    def is_over(self) -> bool:
        """Whether the connection has ended."""
        return self.kind is not None

    @property
    def is_ready(self) -> bool:
        """Whether it is up and can take messages."""
        return self.was_ready and self.kind is None


def connection_end(
    record: ConnectionRecord, session: ClientSession, tls_version: str, *, uses_ehlo: bool
) -> ConnectionEnd:
    """Return the result of a connection that is over."""
    assert record.kind is not None
    manner = _manner(record, session)
    return ConnectionEnd(
        record.kind,
        record.reason,
        record.was_ready,
        tuple(
            transaction.message
            for transaction in session.outstanding()
            if transaction.message is not record.reported_cut
        ),
        tls_version,
        manner,
        _not_borne(record, session, manner),
        session.probed,
        was_closed=record.was_closed,
        was_silent=record.was_silent,
        in_doubt=_in_doubt(record, session),
        closed_at_ehlo=_is_closed_at_ehlo(record, session) and not tls_version,
        uses_ehlo=uses_ehlo,
        suspect=_suspect(record, session),
        garbled=_garbled(record, session),
        concerns_client=_concerns_client(record, session),
        was_cut_at_envelope=_is_cut_at_envelope(record, session),
    )


def _is_closed_at_ehlo(record: ConnectionRecord, session: ClientSession) -> bool:
    """Return whether it was closed over our own EHLO: that of a client concerns the client."""
    return record.was_closed and session.awaited is EHLO and not session.knows_client


def _concerns_client(record: ConnectionRecord, session: ClientSession) -> bool:
    """Return whether the destination ended it before any mail, when it knew the client.

    A close without a reply counts too: so ends a header with an address of IPv6 at a server that
    has none. So does silence: a server may keep a listed client waiting, or look its name up.
    """
    if record.was_ready or not session.knows_client:
        return False
    is_cut = record.was_closed or record.was_silent
    was_ended = record.kind is EndKind.BUSY or (record.kind is EndKind.BROKEN and is_cut)
    is_of_ours = session.awaited in (STARTTLS, AUTH)
    return session.is_client_refused or (was_ended and not is_of_ours)


def _is_cut_at_envelope(record: ConnectionRecord, session: ClientSession) -> bool:
    """Return whether it was cut at MAIL or RCPT of a client, by 421 or without a reply."""
    if not (session.knows_client and record.was_ready):
        return False
    was_ended = record.kind is EndKind.BUSY or (record.kind is EndKind.BROKEN and record.was_closed)
    return was_ended and not session.runs_ahead and session.awaited in (MAIL, RCPT)


def _manner(record: ConnectionRecord, session: ClientSession) -> SendingManner:
    if not session.runs_ahead:
        return SendingManner.PROBED if session.is_probing else SendingManner.DATA
    has_settled = record.windows_settled or not record.begun
    return SendingManner.AHEAD if has_settled else SendingManner.AHEAD_IN_VAIN


def _not_borne(
    record: ConnectionRecord, session: ClientSession, manner: SendingManner
) -> Pipelining | None:
    """Return the pipelining that the destination failed to support, None without a sign."""
    if session.is_across_refused:
        return Pipelining.ACROSS
    if record.kind is not EndKind.BROKEN:
        # 421 for the refused chunk, or for the second MAIL
        is_probe = session.is_probing and session.awaited is not PROBE_MAIL
        return Pipelining.AHEAD if record.kind is EndKind.BUSY and is_probe else None
    if session.not_borne_for_lf is not None:
        return session.not_borne_for_lf
    is_in_vain = manner in (SendingManner.PROBED, SendingManner.AHEAD_IN_VAIN)
    loses_step = record.is_astray or session.awaits_behind_chunk
    if is_in_vain or (manner is SendingManner.AHEAD and loses_step):
        return Pipelining.AHEAD
    if not record.is_astray and (session.awaits_across or session.is_trying_across):
        return Pipelining.ACROSS
    is_first = session.is_pipelining and not session.runs_ahead and not record.ended
    return Pipelining.OPENING if is_first and session.awaited in _OPENING_STEPS else None


def _in_doubt(record: ConnectionRecord, session: ClientSession) -> HeldMessage | None:
    transaction = session.in_doubt if record.kind is EndKind.BROKEN else None
    return transaction.message if transaction is not None else None


def _suspect(record: ConnectionRecord, session: ClientSession) -> HeldMessage | None:
    """Return the first message without all its replies, unless it got an outcome at the end."""
    first = next(iter(session.outstanding()), None)
    return None if first is None or first.message is record.reported_cut else first.message


def _garbled(record: ConnectionRecord, session: ClientSession) -> str:
    """Return the data that came in place of a reply, "" if there was none."""
    if record.is_astray:
        return record.reason
    if session.is_audited:
        return f"{record.reason}, and replies ended in LF alone"
    return f"{record.reason}, after {session.unread!r}" if session.unread else ""
