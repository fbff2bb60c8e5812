"""Messages go into a session one by one, and each has one outcome."""

from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import cast

import pytest

from restante.delivery.connection_record import ConnectionRecord
from restante.delivery.delivery_settings import DeliverySettings
from restante.delivery.link_plan import ConnectionWork, LinkPlan
from restante.delivery.message_flow import MessageFlow
from restante.delivery.route import Endpoint
from restante.mail.message import ContentFile, HeldMessage
from restante.queue.recipient_status import MessageOutcome
from restante.smtp.client_session import ClientSession
from restante.smtp.client_transaction import ClientTransaction
from restante.smtp.ehlo_offer import EhloOffer
from restante.smtp.handshake import ClientOptions
from restante.smtp.peer_replies import ServerReply
from restante.smtp.window_size import FEWEST_MESSAGES, SLOW
from restante.tenancy.model import IpAddress, TlsUse
from tests.smtp.client_talk import mail


def reply(text: str) -> ServerReply:
    return ServerReply(int(text[:3]), (text[4:].encode(),))


def transaction(*replies: str, number: int = 1) -> ClientTransaction:
    """Return a transaction with these replies to MAIL, RCPT, DATA and content."""
    made = ClientTransaction(mail(number))
    found = [reply(text) for text in replies]
    made.mail, made.recipients = next(iter(found), None), found[1:2]
    made.data, made.content = [*found[2:4], None, None][:2]
    return made


@dataclass
class Session:
    """The state of a session, and the messages begun over it."""

    offer: EhloOffer = EhloOffer()  # noqa: RUF009  it is frozen
    is_ahead: bool = False
    runs_ahead: bool = False
    is_audited: bool = False
    in_doubt: ClientTransaction | None = None
    transactions: list[ClientTransaction] = field(default_factory=list)
    begun: list[int] = field(default_factory=list)
    has_quit: bool = False

    def begin(self, transaction: ClientTransaction) -> None:
        if "unsafe" in transaction.message.envelope.reverse_path:
            raise ValueError
        self.begun.append(transaction.message.number)

    def outstanding(self) -> list[ClientTransaction]:
        return self.transactions

    def quit(self) -> None:
        self.has_quit = True


class Scene:
    def __init__(
        self, *messages: HeldMessage, session: Session | None = None, most: int = 1000
    ) -> None:
        self.now = 0.0
        self.waiting = deque(messages)
        self.session = session or Session()
        self.record = ConnectionRecord()
        self.reports: list[tuple[int, str, str]] = []  # number, moves, the reply to the content
        self.replies: list[str] = []  # of the recipients
        endpoint = Endpoint(cast("IpAddress", None), 25)
        options = ClientOptions("mx2.example.net", TlsUse.OFF)
        self.plan = LinkPlan(
            endpoint, "p.example:25", options, None, DeliverySettings(), messages=most
        )
        self.flow = MessageFlow(
            cast("ClientSession", self.session),
            self.plan,
            ConnectionWork(self.take, self.report, self.read_file),
            self.record,
            lambda: self.now,
        )

    def take(self) -> HeldMessage | None:
        return self.waiting.popleft() if self.waiting else None

    def report(self, message: HeldMessage, outcome: MessageOutcome, text: str) -> None:
        moves = " ".join(one.move.value for one in outcome.recipients)
        self.reports.append((message.number, moves, text))
        self.replies += [one.reply for one in outcome.recipients]

    def read_file(self, file: ContentFile) -> AsyncIterator[bytes]:
        raise AssertionError(file)


def test_the_next_message_begins_and_without_one_nothing_happens() -> None:
    scene = Scene(mail(1), mail(2))
    assert [scene.flow.begin_next() for _ in range(3)] == [True, True, False]
    assert scene.session.begun == [1, 2]
    assert scene.record.begun == 2
    assert scene.reports == []


@pytest.mark.parametrize(
    ("message", "offer", "reason"),
    [
        (mail(1, content=b"x" * 101), EhloOffer(has_size=True, size_limit=100), "5.3.4"),
        (mail(1, needs_smtputf8=True), EhloOffer(), "5.6.7"),
        (mail(1, reverse_path="unsafe@a.example"), EhloOffer(), "5.1"),
    ],
    ids=["too large", "SMTPUTF8", "a path that no command can carry"],
)
def test_a_message_that_cannot_be_sent_is_refused_and_the_next_one_begins(
    message: HeldMessage, offer: EhloOffer, reason: str
) -> None:
    scene = Scene(message, mail(2), session=Session(offer))
    assert [scene.flow.begin_next() for _ in range(3)] == [True, True, False]
    assert scene.session.begun == [2]
    assert (scene.record.begun, scene.record.ended) == (1, 0)
    assert [(number, moves) for number, moves, _ in scene.reports] == [(1, "refused")]
    assert reason in scene.replies[0]


def test_after_the_last_message_of_a_connection_it_quits() -> None:
    scene = Scene(mail(1), mail(2), mail(3), most=2)
    assert [scene.flow.begin_next() for _ in range(3)] == [True, True, False]
    assert scene.session.has_quit
    assert len(scene.waiting) == 1


def test_a_delivered_message_is_reported_with_the_reply_to_its_content() -> None:
    scene = Scene()
    scene.flow.report(transaction("250 a", "250 b", "354 c", "250 queued"))
    assert scene.reports == [(1, "delivered", "250 queued")]
    assert (scene.flow.complaint, scene.session.has_quit, scene.record.ended) == ("", False, 1)


@pytest.mark.parametrize(
    ("replies", "moves", "complaint"),
    [
        (("550 5.1.8 no",), "refused", ""),
        (("530 5.7.0 log in first",), "deferred", "530 5.7.0 log in first"),
        (("250 a", "550 5.7.9 log in"), "deferred", "550 5.7.9 log in"),
    ],
)
def test_a_complaint_about_the_session_ends_it(
    replies: tuple[str, ...], moves: str, complaint: str
) -> None:
    scene = Scene()
    scene.flow.report(transaction(*replies))
    assert [(number, one) for number, one, _ in scene.reports] == [(1, moves)]
    assert (scene.flow.complaint, scene.session.has_quit) == (complaint, bool(complaint))


def test_of_a_cut_connection_the_first_message_counts_as_far_as_its_replies_decide() -> None:
    first, second = transaction("550 5.1.8 no"), transaction("250 a", number=2)
    scene = Scene(session=Session(transactions=[first, second]))
    scene.flow.report_cut()
    assert scene.reports == [(1, "refused", "")]
    assert scene.record.reported_cut is first.message
    assert scene.record.ended == 1


def in_doubt(session: Session) -> None:
    session.in_doubt = session.transactions[0]


def ahead(session: Session) -> None:
    session.runs_ahead = True


def audited(session: Session) -> None:
    session.is_audited = True


def empty(session: Session) -> None:
    session.transactions = []


def undecided(session: Session) -> None:
    session.transactions = [transaction("250 a", "250 b")]


@pytest.mark.parametrize("change", [in_doubt, ahead, audited, empty, undecided])
def test_otherwise_nothing_is_reported_at_a_cut(change: object) -> None:
    session = Session(transactions=[transaction("550 5.1.8 no")])
    change(session)  # type: ignore[operator]
    scene = Scene(session=session)
    scene.flow.report_cut()
    assert scene.reports == []
    assert scene.record.reported_cut is None


@pytest.mark.parametrize(
    ("seconds", "is_whole", "grows"), [(0.0, True, True), (0.0, False, False), (SLOW, True, False)]
)
def test_the_next_window_depends_on_the_time_from_its_first_message(
    seconds: float, is_whole: bool, grows: bool
) -> None:
    scene = Scene(mail(1), mail(2))
    scene.now = 1000.0
    scene.flow.begin_next()
    scene.session.is_ahead = True
    scene.now += seconds
    scene.flow.begin_next()
    scene.plan.pace.settle(FEWEST_MESSAGES)
    scene.flow.window_settled(is_whole=is_whole)
    assert scene.record.windows_settled == 1
    assert (scene.plan.pace.messages > FEWEST_MESSAGES) is grows
