"""The time for each reply, on a clock that the tests move."""

import asyncio
import math
from dataclasses import dataclass
from typing import cast

import pytest

from restante.delivery.delivery_settings import DeliverySettings
from restante.delivery.reply_timer import ReplyTimer
from restante.smtp.chunking_probe import PROBE_CHUNK, PROBE_MAIL
from restante.smtp.client_session import ClientSession
from restante.smtp.client_transaction import CONTENT, DATA, EHLO, MAIL, QUIT, STARTTLS, DialogueStep
from tests.delivery.manual_loop import ManualLoop

SETTINGS = DeliverySettings(reply_timeout=300, content_timeout=600)


@dataclass
class Session:
    """The facts of a session that decide about time."""

    awaited: DialogueStep | None = None
    awaits_across: bool = False
    awaits_close: bool = False
    awaits_behind_chunk: bool = False
    is_probing: bool = False
    is_sending_content: bool = False


class Scene:
    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        session: Session | None = None,
        settings: DeliverySettings = SETTINGS,
        *,
        may_do_without_tls: bool = False,
    ) -> None:
        self.loop, self.late = ManualLoop(), list[float]()
        monkeypatch.setattr(asyncio, "get_running_loop", lambda: self.loop)
        self.session = session or Session()
        self.timer = ReplyTimer(
            cast("ClientSession", self.session),
            settings,
            lambda: self.late.append(self.loop.now),
            may_do_without_tls=may_do_without_tls,
        )

    def late_after(self) -> float:
        """Return after how many seconds it calls; infinity for never."""
        began = self.loop.now
        self.loop.advance(began + 100_000)
        return self.late[0] - began if self.late else math.inf


@pytest.mark.parametrize(
    ("session", "is_shaking_hands", "seconds"),
    [
        (Session(), False, math.inf),
        (Session(), True, 300),
        (Session(STARTTLS), False, 300),
        (Session(MAIL), False, 300),
        (Session(DATA), False, 300),
        (Session(CONTENT), False, 600),
        (Session(is_sending_content=True), False, 300),
        (Session(QUIT), False, 5),
        (Session(MAIL, awaits_across=True), False, 5),
        (Session(awaits_close=True), False, 5),
        (Session(MAIL, awaits_behind_chunk=True), False, 5),
        (Session(PROBE_MAIL, is_probing=True), False, 300),
        (Session(PROBE_CHUNK, is_probing=True), False, 20),
    ],
    ids=[
        *(
            "nothing is due",
            "handshake",
            "STARTTLS",
            "MAIL",
            "DATA",
            "content",
            "sending content",
            "QUIT",
        ),
        *("behind content", "behind QUIT", "behind a chunk", "probe", "behind the probe's MAIL"),
    ],
)
def test_the_time_of_each_step(
    session: Session, is_shaking_hands: bool, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(monkeypatch, session)
    scene.timer.restart(is_shaking_hands=is_shaking_hands)
    assert scene.late_after() == seconds


@pytest.mark.parametrize(
    ("session", "is_shaking_hands", "seconds"),
    [
        (Session(STARTTLS), False, 30),
        (Session(), True, 30),
        (Session(EHLO), False, 300),
    ],
)
def test_where_plain_text_may_follow_tls_gets_little_time(
    session: Session, is_shaking_hands: bool, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(monkeypatch, session, may_do_without_tls=True)
    scene.timer.restart(is_shaking_hands=is_shaking_hands)
    assert scene.late_after() == seconds


def test_a_shorter_setting_counts_behind_content_too(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = DeliverySettings(reply_timeout=2)
    scene = Scene(monkeypatch, Session(MAIL, awaits_across=True), settings)
    scene.timer.restart(is_shaking_hands=False)
    assert scene.late_after() == 2


def test_each_whole_reply_gives_the_next_one_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(monkeypatch, Session(MAIL))
    for _ in range(10):
        scene.timer.calm_down()
        scene.timer.restart(is_shaking_hands=False)
        scene.loop.advance(scene.loop.now + 299)
    assert scene.late == []
    assert scene.timer.seconds_still == 299
    assert scene.late_after() == 1


def test_a_final_reply_that_has_begun_is_hurried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(monkeypatch, Session(CONTENT))
    scene.timer.restart(is_shaking_hands=False)
    scene.loop.advance(100)
    scene.timer.hurry()
    scene.loop.advance(120)
    scene.timer.hurry()  # octets that drip win no time
    assert scene.late_after() == 10


def test_after_its_end_the_next_reply_has_its_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(monkeypatch, Session(CONTENT))
    scene.timer.hurry()
    scene.timer.calm_down()
    scene.timer.restart(is_shaking_hands=False)
    scene.loop.advance(500)
    assert scene.late == []
    scene.timer.hurry()
    assert scene.late_after() == 30


def test_no_final_reply_is_hurried_beyond_its_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(monkeypatch, Session(CONTENT), DeliverySettings(content_timeout=10))
    scene.timer.hurry()
    assert scene.late_after() == 10


def test_a_connection_that_is_not_needed_is_awaited_for_a_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene = Scene(monkeypatch)
    scene.timer.restart(is_shaking_hands=True)
    scene.timer.forgo()
    scene.timer.restart(is_shaking_hands=True)
    assert scene.late_after() == 5


def test_a_server_that_answered_quit_has_a_second_to_close(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(monkeypatch, Session(QUIT))
    scene.timer.is_leaving = True
    scene.timer.restart(is_shaking_hands=False)
    assert scene.late_after() == 1


def test_a_cancelled_timer_never_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(monkeypatch, Session(MAIL))
    scene.timer.restart(is_shaking_hands=False)
    scene.timer.cancel()
    scene.timer.restart(is_shaking_hands=False)
    assert scene.late_after() == math.inf
