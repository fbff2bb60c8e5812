"""A drill: its steps, the reasons to stop, and the traces that it leaves."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import ValidationError

from restante.admin import domain_drill
from restante.admin.admin_error import AdminError
from restante.admin.domain_drill import DrillOrder, drill_domain, drill_duty
from restante.admin.drill_leftovers import beginnings
from restante.admin.drill_proof import DrillView
from restante.admin.drill_records import drill_facts_of
from restante.mail.envelope import Envelope
from restante.mail.message import NewMessage
from restante.queue.recipient_status import MessageOutcome, RecipientMove, RecipientOutcome
from restante.readiness.drill_entry import DrillEntry, NotTaken
from restante.readiness.drill_word import DrillAsk, DrillStep
from restante.readiness.readiness_row import ReadinessCheck, ReadinessVerdict
from restante.release.release_outcome import CannotNow, Granted, ReleaseOutcome
from restante.store.handover_store import Drain
from restante.store.release_store import ReleaseRecord
from restante.tenancy.principal import account_login
from restante.tenancy.release_result import ReleaseResult
from tests.admin.admin_world import NOW, AdminWorld, run
from tests.contract.making import NOTED

DOMAIN = "alpha.example"
NUMBER = 77


class Scene:
    """A world in which each step does what a test says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.admin = AdminWorld()
        self.rows: list[Any] = []
        self.reply = "250 2.0.0 Ok: queued as 4711"
        self.move: RecipientMove | None = RecipientMove.DELIVERED  # None: it stays held
        self.actor = "operator"
        self.entered: list[bytes] = []
        self.sources: list[str] = []
        self.refusal = ""
        monkeypatch.setattr(domain_drill, "examined", self._examined)
        monkeypatch.setattr(domain_drill, "bring", self._bring)
        assert self.admin.server is not None
        monkeypatch.setattr(self.admin.server, "release_messages", self._release)

    async def _examined(self, *_: object) -> Any:
        worst = self.rows[0].verdict if self.rows else ReadinessVerdict.PASS
        return SimpleNamespace(verdict=worst, rows=self.rows)

    async def _bring(self, host: str, port: int, envelope: Any, content: bytes, _: float) -> Any:
        if self.refusal:
            raise NotTaken(self.refusal)
        self.entered.append(content)
        self.sources.append(envelope.source)
        assert (host, port) == ("127.0.0.1", 25)
        message_id = content.split(b"Message-ID: ")[1].split(b"\r\n")[0].decode()
        held = NewMessage(NUMBER, 1, Envelope("", (envelope.recipient,)), NOW, content)
        await self.admin.store.reception.hold([held._replace(message_id=message_id)])
        if self.actor.startswith("login"):
            await self._release()
        return DrillEntry("TLSv1.3 X", "ab", "250 2.0.0 held")

    async def _release(self, *_: object) -> ReleaseOutcome:
        if self.move is None:
            return CannotNow("", "the server is stopping")
        store = self.admin.store
        record = ReleaseRecord(
            9, NOW, self.actor, "192.0.2.25", "x", "alpha", DOMAIN, ReleaseResult.GRANTED, "", 1
        )
        await store.releases.record_release(record, NOTED)
        drain = await store.handover.open_drain(1, NOW, NOW + 60, 9)
        assert isinstance(drain, Drain)
        path = f"postmaster@{DOMAIN}"
        await store.handover.settle(
            drain,
            [MessageOutcome(NUMBER, (RecipientOutcome(path, self.move, self.reply),))],
            at=NOW,
        )
        await store.handover.close_drain(drain)
        return Granted("", 1, "operator", 9)

    async def drill(self, **order: Any) -> DrillView:
        if DOMAIN not in self.admin.context.directory.now.domains:
            assert await self.admin.host(DOMAIN, "alpha") == 1
        given = DrillOrder.model_validate({"wait": 1, **order})
        return (await drill_domain(self.admin.context, DOMAIN, given)).drill

    async def held(self) -> int:
        return self.admin.store.figures.usage(1).messages


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    return Scene(monkeypatch)


def test_a_drill_proves_every_step(scene: Scene) -> None:
    async def story() -> None:
        drill = await scene.drill()
        assert drill.is_passed
        assert [one.step for one in drill.steps] == list(DrillStep)
        assert (drill.reply, drill.tls) == (scene.reply, "TLSv1.3 X")
        assert drill.asked_by == "operator, 192.0.2.25"
        assert await scene.held() == 0
        assert (await drill_facts_of(scene.admin.store.retention, 1)).passed_at == NOW

    run(story())


def row(check: ReadinessCheck) -> Any:
    return SimpleNamespace(
        check=check, verdict=ReadinessVerdict.FAIL, title=check.text, evidence="it is wrong"
    )


def test_a_failed_check_stops_it_unless_told_otherwise(scene: Scene) -> None:
    async def story() -> None:
        scene.rows = [row(ReadinessCheck.DOMAIN_SPF)]
        drill = await scene.drill()
        assert (drill.failed_step, scene.entered) == (DrillStep.CHECK, [])
        assert "it is wrong" in drill.failure
        assert (await drill_facts_of(scene.admin.store.retention, 1)).failed_at == NOW
        assert (await scene.drill(despite_check=True)).is_passed

    run(story())


def test_a_client_address_is_handed_on_and_of_an_account_it_must_be_public(scene: Scene) -> None:
    async def story() -> None:
        await scene.drill(client="192.0.2.7")
        account = scene.admin.context.acting(account_login("alpha-mail", "alpha", "192.0.2.1"))
        for client in ("192.0.2.7", "10.0.0.1", "::1"):
            with pytest.raises(AdminError, match="is not a public address"):
                await drill_domain(account, DOMAIN, DrillOrder(client=client))
        await drill_domain(account, DOMAIN, DrillOrder(client="8.8.4.4", wait=1))
        assert scene.sources == ["192.0.2.7", "8.8.4.4"]
        for client in ("here", "0.0.0.0", "192.0.2.7:25"):
            with pytest.raises(ValidationError):
                DrillOrder(client=client)

    run(story())


@pytest.mark.parametrize(
    ("move", "marks"),
    [(None, {}), (RecipientMove.REFUSED, {}), (RecipientMove.DELIVERED, {1: NOW})],
)
def test_only_a_message_that_has_left_can_be_read_back(
    scene: Scene, move: RecipientMove | None, marks: dict[int, float]
) -> None:
    async def story() -> None:
        scene.move = move
        await scene.drill()
        assert await scene.admin.store.retention.marks("drill-message") == marks

    run(story())


def test_that_no_primary_has_asked_yet_stops_no_drill(scene: Scene) -> None:
    async def story() -> None:
        scene.rows = [row(ReadinessCheck.RELEASE)]
        assert (await scene.drill()).is_passed

    run(story())


@pytest.mark.parametrize("move", [RecipientMove.REFUSED, RecipientMove.UNCERTAIN])
def test_a_message_that_is_refused_is_removed_and_the_reply_is_told(
    scene: Scene, move: RecipientMove
) -> None:
    async def story() -> None:
        scene.move, scene.reply = move, "550 5.7.1 no"
        drill = await scene.drill()
        assert (drill.failed_step, await scene.held()) == (DrillStep.HAND_OVER, 0)
        assert "550 5.7.1 no" in drill.failure

    run(story())


def test_a_release_that_is_not_possible_and_a_listener_that_refuses_are_failures(
    scene: Scene,
) -> None:
    async def story() -> None:
        scene.move = None
        drill = await scene.drill()
        assert (drill.failure, await scene.held()) == ("the server is stopping", 0)
        scene.refusal = "450 4.7.1 not now"
        drill = await scene.drill()
        assert (drill.failed_step, drill.failure) == (DrillStep.ENTER, scene.refusal)

    run(story())


def test_the_primary_itself_must_have_asked_where_that_is_to_be_proven(scene: Scene) -> None:
    async def story() -> None:
        scene.actor = "login alpha-mail"
        drill = await scene.drill(ask=DrillAsk.PRIMARY)
        assert (drill.is_passed, drill.asked_by) == (True, "login alpha-mail, 192.0.2.25")
        assert (await scene.drill(ask=DrillAsk.PRIMARY)).is_passed

    run(story())


def test_a_primary_that_does_not_ask_in_time_fails_and_leaves_nothing(scene: Scene) -> None:
    async def story() -> None:
        ticks = iter(range(10_000))
        memory = replace(scene.admin.context.memory, monotonic=lambda: float(next(ticks)))
        scene.admin.context = replace(scene.admin.context, memory=memory)
        drill = await scene.drill(ask=DrillAsk.PRIMARY, wait=5)
        assert (drill.failed_step, await scene.held()) == (DrillStep.HAND_OVER, 0)
        assert "asked for no mail" in drill.failure

    run(story())


def test_it_does_not_start_where_other_mail_would_leave_or_none_can(scene: Scene) -> None:
    async def story() -> None:
        alpha = await scene.admin.host(DOMAIN, "alpha")
        await scene.admin.hold(1, alpha, f"x@{DOMAIN}")
        with pytest.raises(AdminError, match="holds 1 other message"):
            await scene.drill(ask=DrillAsk.PRIMARY)
        for recipient in ("x@other.example", f"a>b@{DOMAIN}", f"a\r\nRSET\r\nb@{DOMAIN}"):
            with pytest.raises(AdminError, match="is not in"):
                await scene.drill(recipient=recipient)
        assert (await scene.drill()).is_passed
        assert await scene.held() == 1

    run(story())


def test_two_servers_do_not_drill_a_domain_at_the_same_time(scene: Scene) -> None:
    async def story() -> None:
        assert (await scene.drill()).is_passed
        domain = scene.admin.context.directory.now.domains[DOMAIN]
        async with drill_duty(scene.admin.context, domain) as is_ours:
            assert is_ours
            with pytest.raises(AdminError, match="another drill of alpha"):
                await scene.drill()
        assert (await scene.drill()).is_passed

    run(story())


def test_the_next_drill_removes_the_message_of_one_that_the_server_did_not_survive(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        scene.move = None
        with monkeypatch.context() as killed:
            killed.setattr(domain_drill._Drill, "_clean_up", _nothing)
            assert not (await scene.drill()).is_passed
        assert (await scene.held(), await beginnings(scene.admin.store.retention)) == (1, {1: NOW})
        with monkeypatch.context() as stopped:
            stopped.setattr(domain_drill, "bring", _refused)
            assert not (await scene.drill()).is_passed
        assert await scene.held() == 0

    run(story())


def test_a_message_that_came_in_unseen_is_removed(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def bring_unseen(*given: Any) -> Any:
        await scene._bring(*given)
        raise NotTaken("the listener did not answer within 30 s")

    async def story() -> None:
        monkeypatch.setattr(domain_drill, "bring", bring_unseen)
        assert not (await scene.drill()).is_passed
        assert (await scene.held(), await beginnings(scene.admin.store.retention)) == (0, {})

    run(story())


async def _nothing(*_: object) -> None:
    """Do nothing: the server was killed."""


async def _refused(*_: object) -> Any:
    raise NotTaken("450 4.7.1 not now")
