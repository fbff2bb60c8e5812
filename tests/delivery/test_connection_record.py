"""The verdict on a connection, from its record and from the state of its session."""

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from restante.delivery.connection_record import ConnectionRecord, connection_end
from restante.delivery.link_plan import ConnectionEnd, EndKind, SendingManner
from restante.smtp.chunking_probe import PROBE_CHUNK, PROBE_MAIL, PROBE_MAIL_AGAIN
from restante.smtp.client_session import ClientSession
from restante.smtp.client_transaction import (
    CONTENT,
    DATA,
    EHLO,
    MAIL,
    RCPT,
    STARTTLS,
    ClientTransaction,
    DialogueStep,
)
from restante.smtp.pipelining import Pipelining
from tests.smtp.client_talk import mail

AHEAD, ACROSS, OPENING = Pipelining.AHEAD, Pipelining.ACROSS, Pipelining.OPENING


@dataclass
class Session:
    """The facts of a session that a verdict reads."""

    transactions: list[ClientTransaction] = field(default_factory=list)
    runs_ahead: bool = False
    is_probing: bool = False
    is_pipelining: bool = False
    is_across_refused: bool = False
    not_borne_for_lf: Pipelining | None = None
    awaits_across: bool = False
    is_trying_across: bool = False
    awaits_behind_chunk: bool = False
    awaited: DialogueStep | None = None
    in_doubt: ClientTransaction | None = None
    probed: None = None
    is_audited: bool = False
    unread: str = ""
    knows_client: bool = False
    is_client_refused: bool = False

    def outstanding(self) -> list[ClientTransaction]:
        return self.transactions


def verdict(
    session: Session | None = None, tls: str = "", *, uses_ehlo: bool = True, **facts: Any
) -> ConnectionEnd:
    record = ConnectionRecord(**{"kind": EndKind.BROKEN, "reason": "it broke", **facts})
    given = cast("ClientSession", session or Session())
    return connection_end(record, given, tls, uses_ehlo=uses_ehlo)


def test_it_is_ready_from_the_handshake_to_its_end() -> None:
    record = ConnectionRecord()
    assert (record.is_ready, record.is_over) == (False, False)
    record.was_ready = True
    assert (record.is_ready, record.is_over) == (True, False)
    record.kind = EndKind.QUIT
    assert (record.is_ready, record.is_over) == (False, True)


@pytest.mark.parametrize(
    ("session", "facts", "is_so"),
    [
        (Session(knows_client=True), {"kind": EndKind.BUSY}, True),
        (Session(knows_client=True), {"was_closed": True}, True),
        (Session(knows_client=True, is_client_refused=True), {}, True),
        (Session(knows_client=True), {"was_silent": True}, True),
        (Session(knows_client=True), {}, False),
        (Session(knows_client=True), {"was_closed": True, "was_ready": True}, False),
        (Session(knows_client=True, awaited=STARTTLS), {"was_closed": True}, False),
        (Session(), {"kind": EndKind.BUSY}, False),
    ],
    ids=[
        "busy",
        "closed",
        "refused",
        "silent",
        "astray",
        "mail was sent",
        "over our TLS",
        "as ourselves",
    ],
)
def test_an_end_before_mail_concerns_the_client_that_was_told(
    session: Session, facts: dict[str, Any], *, is_so: bool
) -> None:
    assert verdict(session, **facts).concerns_client is is_so


@pytest.mark.parametrize(
    ("session", "facts", "manner"),
    [
        (Session(), {}, SendingManner.DATA),
        (Session(is_probing=True), {}, SendingManner.PROBED),
        (Session(runs_ahead=True), {}, SendingManner.AHEAD),
        (Session(runs_ahead=True), {"begun": 3}, SendingManner.AHEAD_IN_VAIN),
        (Session(runs_ahead=True), {"begun": 3, "windows_settled": 1}, SendingManner.AHEAD),
    ],
    ids=["data", "in the probe", "nothing to send", "no window settled", "one settled"],
)
def test_the_manner_of_sending(
    session: Session, facts: dict[str, Any], manner: SendingManner
) -> None:
    assert verdict(session, **facts).manner is manner


@pytest.mark.parametrize(
    ("session", "facts", "level"),
    [
        (Session(), {}, None),
        (Session(is_probing=True), {}, AHEAD),
        (Session(runs_ahead=True), {"begun": 1}, AHEAD),
        (Session(runs_ahead=True), {"begun": 9, "windows_settled": 1}, None),
        (Session(runs_ahead=True), {"begun": 9, "windows_settled": 1, "is_astray": True}, AHEAD),
        (
            Session(runs_ahead=True, awaits_behind_chunk=True),
            {"begun": 3, "windows_settled": 1},
            AHEAD,
        ),
        (Session(awaits_across=True), {}, ACROSS),
        (Session(is_trying_across=True), {}, ACROSS),
        (Session(is_trying_across=True), {"is_astray": True}, None),
        (Session(is_across_refused=True), {"kind": EndKind.QUIT}, ACROSS),
        (Session(is_pipelining=True, awaited=MAIL), {}, OPENING),
        (Session(is_pipelining=True, awaited=RCPT), {}, OPENING),
        (Session(is_pipelining=True, awaited=DATA), {}, OPENING),
        (Session(is_pipelining=True, awaited=CONTENT), {}, None),
        (Session(is_pipelining=True, awaited=MAIL), {"ended": 1}, None),
        (Session(awaited=MAIL), {}, None),
        (Session(is_probing=True, awaited=PROBE_MAIL), {"kind": EndKind.BUSY}, None),
        (Session(is_probing=True, awaited=PROBE_CHUNK), {"kind": EndKind.BUSY}, AHEAD),
        (Session(is_probing=True, awaited=PROBE_MAIL_AGAIN), {"kind": EndKind.BUSY}, AHEAD),
    ],
)
def test_the_pipelining_that_the_destination_did_not_bear(
    session: Session, facts: dict[str, Any], level: Pipelining | None
) -> None:
    assert verdict(session, **facts).not_borne is level


@pytest.mark.parametrize(
    ("session", "tls", "facts", "expected"),
    [
        (Session(awaited=EHLO), "", {"was_closed": True}, True),
        (Session(awaited=EHLO), "TLSv1.3", {"was_closed": True}, False),
        (Session(awaited=EHLO), "", {}, False),
        (Session(awaited=MAIL), "", {"was_closed": True}, False),
    ],
    ids=["closed", "closed under TLS", "silent", "closed later"],
)
def test_helo_is_tried_only_where_ehlo_was_answered_by_a_close(
    session: Session, tls: str, facts: dict[str, Any], expected: bool
) -> None:
    assert verdict(session, tls, **facts).closed_at_ehlo is expected


def test_a_message_that_was_reported_is_neither_outstanding_nor_suspect() -> None:
    first, second = mail(1), mail(2)
    session = Session([ClientTransaction(first), ClientTransaction(second)])
    end = verdict(session)
    assert (end.outstanding, end.suspect) == ((first, second), first)
    end = verdict(session, reported_cut=first)
    assert (end.outstanding, end.suspect) == ((second,), None)
    assert verdict().suspect is None


@pytest.mark.parametrize(("kind", "is_in_doubt"), [(EndKind.BROKEN, True), (EndKind.BUSY, False)])
def test_a_message_is_in_doubt_only_where_the_connection_broke(
    kind: EndKind, is_in_doubt: bool
) -> None:
    message = mail(1)
    session = Session(in_doubt=ClientTransaction(message))
    assert verdict(session, kind=kind).in_doubt is (message if is_in_doubt else None)


@pytest.mark.parametrize(
    ("unread", "is_astray", "garbled"),
    [
        ("", False, ""),
        ("25", False, "it broke, after '25'"),
        ("\x16", True, "it broke"),
    ],
    ids=["nothing came", "half a reply", "no reply"],
)
def test_the_octets_in_place_of_a_reply_are_kept(
    unread: str, is_astray: bool, garbled: str
) -> None:
    assert verdict(Session(unread=unread), is_astray=is_astray).garbled == garbled


@pytest.mark.parametrize(
    ("session", "facts", "is_so"),
    [
        (Session(knows_client=True, awaited=MAIL), {"kind": EndKind.BUSY}, True),
        (Session(knows_client=True, awaited=RCPT), {"kind": EndKind.BUSY}, True),
        (Session(knows_client=True, awaited=RCPT), {"was_closed": True}, True),
        (Session(knows_client=True, awaited=RCPT), {}, False),
        (Session(knows_client=True, awaited=RCPT), {"was_silent": True}, False),
        (Session(knows_client=True, awaited=DATA), {"was_closed": True}, False),
        (Session(knows_client=True, awaited=CONTENT), {"kind": EndKind.BUSY}, False),
        (Session(knows_client=True, awaited=RCPT, runs_ahead=True), {"was_closed": True}, False),
        (Session(awaited=RCPT), {"was_closed": True}, False),
    ],
)
def test_it_was_cut_at_the_envelope_by_421_or_a_close_at_mail_or_rcpt_of_a_client(
    session: Session, facts: dict[str, Any], is_so: bool
) -> None:
    end = verdict(session, **{"was_ready": True, **facts})
    assert end.was_cut_at_envelope is is_so
    assert not verdict(session, **{**facts, "was_ready": False}).was_cut_at_envelope
