"""A destination is looked at once in ten minutes, for all accounts together."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from restante.admin.admin_context import AdminContext
from restante.admin.destination_looks import (
    BEGUN_SECONDS,
    EVERY_SECONDS,
    RememberedLook,
    look_or_remember,
)
from restante.readiness.destination_facts import AddressFacts, DestinationFacts, ProbeReply
from restante.request_limits.dial_limits import DialWait
from tests.admin.admin_world import NOW, AdminWorld, run

HOST = "mail.alpha.example:25"


@dataclass
class Looks:
    """Counts the looks, at a time that the test sets."""

    admin: AdminWorld = field(default_factory=AdminWorld)
    seconds: float = 0.0  # since the first
    greets: bool = True
    taken: int = 0
    refusal: DialWait | None = None

    @property
    def context(self) -> AdminContext:
        return replace(self.admin.context, now=lambda: NOW + self.seconds)

    async def look(self) -> DestinationFacts:
        self.taken += 1
        reply = ProbeReply(250, f"250 look {self.taken}")
        address = AddressFacts(HOST, "" if self.greets else "Connection refused")
        at = NOW + self.seconds
        return DestinationFacts(HOST, "alpha.example", at, addresses=(address,), postmaster=reply)

    def ask(self, account: str = "alpha", destination: str = HOST) -> RememberedLook:
        return run(self.look_or_remember(account, destination, self.look))

    async def look_or_remember(
        self, account: str, destination: str, look: Callable[[], Awaitable[DestinationFacts]]
    ) -> RememberedLook:
        return await look_or_remember(
            self.context, account, destination, look, lambda: self.refusal
        )


def test_a_second_look_is_the_first_one_remembered() -> None:
    looks = Looks()
    first = looks.ask()
    looks.seconds = EVERY_SECONDS - 1
    assert looks.ask() == first
    assert first.again_at == NOW + EVERY_SECONDS
    assert looks.taken == 1


def test_an_account_beyond_its_limit_gets_what_is_remembered_and_no_look() -> None:
    looks = Looks(refusal=DialWait("too many", 30.0))
    assert looks.ask() == RememberedLook(None, NOW + 30.0, "too many")
    looks.refusal = None
    first = looks.ask()
    looks.refusal = DialWait("too many", 30.0)
    assert looks.ask() == first
    assert looks.taken == 1


def test_after_ten_minutes_it_is_looked_at_again() -> None:
    looks = Looks()
    looks.ask()
    looks.seconds = EVERY_SECONDS + 1
    facts = looks.ask().facts
    assert facts is not None
    assert facts.postmaster.text == "250 look 2"


def test_the_limit_is_for_all_accounts_and_the_facts_are_for_one() -> None:
    looks = Looks()
    looks.ask("alpha")
    other = looks.ask("beta")
    assert (other.facts, other.again_at) == (None, NOW + EVERY_SECONDS)
    assert looks.taken == 1


def test_other_destinations_are_not_concerned() -> None:
    looks = Looks()
    looks.ask()
    looks.ask(destination="mail.beta.example:25")
    assert looks.taken == 2


def test_a_look_under_way_in_another_process_is_not_repeated() -> None:
    looks = Looks()

    async def both() -> list[RememberedLook]:
        async def outer() -> DestinationFacts:
            inner.append(await looks.look_or_remember("alpha", HOST, looks.look))
            return await looks.look()

        inner: list[RememberedLook] = []
        return [await looks.look_or_remember("alpha", HOST, outer), *inner]

    outer, inner = run(both())
    assert outer.facts is not None
    assert inner.facts is None
    assert looks.taken == 1


def test_a_destination_that_did_not_greet_is_looked_at_again_soon() -> None:
    looks = Looks(greets=False)
    first = looks.ask()
    assert first.again_at == NOW + BEGUN_SECONDS
    looks.seconds = BEGUN_SECONDS - 1
    assert looks.ask() == first
    looks.greets, looks.seconds = True, BEGUN_SECONDS + 1
    assert looks.ask().again_at == NOW + looks.seconds + EVERY_SECONDS
    looks.seconds += EVERY_SECONDS - 1
    facts = looks.ask().facts
    assert facts is not None
    assert facts.postmaster.text == "250 look 2"
    assert looks.taken == 2
