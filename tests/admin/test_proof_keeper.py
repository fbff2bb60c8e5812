"""A domain that must be proven takes mail once its record is in DNS, and stays when it is lost."""

from dataclasses import dataclass, field

import pytest

from restante.admin import proof_keeper
from restante.admin.domain_change import DomainChange
from restante.admin.domains import DomainView, change_domain, show_domain
from restante.admin.proof_keeper import AGAIN_SECONDS, ROUND_SECONDS, ProofKeeper
from restante.network.resolver import LookupFailed
from restante.telemetry.events import ProofLost
from restante.tenancy.audit import AuditAction
from restante.tenancy.domain_proof import proof_value
from restante.tenancy.model import HostedDomain
from tests.admin.admin_world import NOW, AdminWorld, run

OURS = "mx2.example.net"


@dataclass
class FakeRecords:
    """DNS: values by name. None: it does not answer."""

    values: dict[str, tuple[str, ...] | None] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def texts(self, name: str) -> tuple[str, ...]:
        return self._found(f"TXT {name}")

    async def mail_hosts(self, name: str) -> tuple[str, ...]:
        return self._found(f"MX {name}")

    def _found(self, question: str) -> tuple[str, ...]:
        self.asked.append(question)
        found = self.values.get(question, ())
        if found is None:
            raise LookupFailed("no answer", is_temporary=True)
        return found


class Scene:
    """A keeper with a domain, and a clock."""

    def __init__(self, proof: str = "txt") -> None:
        self.proof = proof
        self.admin = AdminWorld()
        self.records = FakeRecords()
        self.seconds = 0.0
        self.keeper = ProofKeeper(
            self.admin.context, self.records, self.admin.log, lambda: self.seconds
        )

    async def open(self) -> "Scene":
        await self.admin.host("alpha.example", "alpha", proof=self.proof)
        await self.admin.host("other.example", "alpha")
        return self

    @property
    def domain(self) -> HostedDomain:
        return self.admin.context.directory.now.domains["alpha.example"]

    @property
    def question(self) -> str:
        return "MX alpha.example" if self.proof == "mx" else "TXT _restante.alpha.example"

    def publish(self) -> None:
        self.records.values[self.question] = (proof_value(self.domain, OURS), "more")

    async def later(self, seconds: float) -> None:
        self.seconds += seconds
        assert 0 < await self.keeper.take_round() <= ROUND_SECONDS

    def waits(self) -> bool:
        return self.domain.policy.awaits_proof

    async def shown(self) -> DomainView:
        return await show_domain(self.admin.context, "alpha.example")

    @property
    def lost(self) -> list[str]:
        return [fields["reason"] for event, fields in self.admin.log.lines if event is ProofLost]


def test_a_round_between_two_looks_puts_off_neither() -> None:
    async def story() -> None:
        scene = await Scene().open()
        await scene.later(0)
        scene.seconds = 20.0
        await scene.admin.host("new.example", "alpha", proof="txt")  # wakes the keeper
        assert await scene.keeper.take_round() == 40.0
        scene.seconds = 57.0
        assert await scene.keeper.take_round() == 5.0, "no more often"
        asked = len(scene.records.asked)
        scene.seconds = 62.0
        assert await scene.keeper.take_round() == 18.0
        assert scene.records.asked[asked:] == [scene.question]

    run(story())


@pytest.mark.parametrize("proof", ["txt", "mx"])
def test_a_domain_waits_for_its_record_and_is_then_hosted(proof: str) -> None:
    async def story() -> None:
        scene = await Scene(proof).open()
        await scene.later(0)
        assert scene.waits()
        assert (await scene.shown()).proven_at is None
        await scene.later(1)
        assert scene.records.asked == [scene.question]  # not before its time, and no other domain
        scene.publish()
        await scene.later(ROUND_SECONDS)
        assert scene.domain.policy.proven_at == NOW
        [entry] = await scene.admin.store.audit.audit(limit=1)
        assert (entry.action, entry.subject, entry.actor) == (
            AuditAction.DOMAIN_CHANGED,
            "alpha.example",
            "policy domain-proof",
        )
        assert [one.field for one in entry.changes] == ["policy.proven_at"]

    run(story())


def test_a_record_that_is_lost_is_reported_once_and_stops_no_mail() -> None:
    async def story() -> None:
        scene = await Scene().open()
        scene.publish()
        await scene.later(0)
        scene.records.values.clear()
        await scene.later(AGAIN_SECONDS - 1)
        assert scene.lost == []
        for _ in range(3):
            await scene.later(AGAIN_SECONDS)
        assert scene.lost == [f"no {(await scene.shown()).proof_record}"]
        assert not scene.waits()
        scene.publish()
        await scene.later(AGAIN_SECONDS)
        scene.records.values.clear()
        await scene.later(AGAIN_SECONDS)
        assert len(scene.lost) == 2

    run(story())


def test_silence_of_dns_proves_nothing_and_loses_nothing() -> None:
    async def story() -> None:
        scene = await Scene().open()
        scene.records.values[scene.question] = None
        await scene.later(0)
        assert scene.waits()
        scene.publish()
        await scene.later(ROUND_SECONDS)
        scene.records.values[scene.question] = None
        await scene.later(AGAIN_SECONDS)
        assert (scene.lost, scene.waits()) == ([], False)

    run(story())


def test_domains_that_are_never_proven_keep_no_other_from_its_look(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(proof_keeper, "MOST", 2)

    async def story() -> None:
        scene = await Scene().open()
        names = ("beta.example", "gamma.example", "delta.example")
        for name in names:
            await scene.admin.host(name, "alpha", proof="txt")
        for _ in range(4):
            await scene.later(ROUND_SECONDS)
        questions = [f"TXT _restante.{name}" for name in ("alpha.example", *names)]
        assert scene.records.asked == questions * 2

    run(story())


def test_another_proof_begins_anew_and_none_ends_it() -> None:
    async def story() -> None:
        scene = await Scene().open()
        scene.publish()
        await scene.later(0)

        async def set_proof(proof: str) -> list[str]:
            change = DomainChange.model_validate({"proof": proof})
            done = await change_domain(scene.admin.context, "alpha.example", change)
            return [one for one in done.warnings if "takes no mail" in one]

        assert await set_proof("txt") == []
        assert scene.domain.policy.proven_at == NOW
        [warning] = await set_proof("mx")
        assert warning.endswith(f"until DNS has the record alpha.example. MX 20 {OURS}.")
        assert scene.waits()
        assert await set_proof("none") == []
        assert not scene.waits()
        await scene.later(AGAIN_SECONDS)
        assert len(scene.records.asked) == 1

    run(story())
