"""Password checks: address blocks take turns; authorized hosts and digests do not wait behind them.

Checks "run" in an executor that ends them when the test says so, one at a time.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

import pytest

from restante.reception.authentication import Authenticator, ProvedLogin
from restante.reception.credential_lanes import (
    CheckOmitted,
    CredentialLane,
    CredentialLanes,
    LanePosition,
)
from restante.reception.fair_line import FairLine
from restante.sasl.cram_md5 import digest
from restante.sasl.mechanism import (
    DigestCredentials,
    PasswordCredentials,
    SaslCredentials,
    ScramCredentials,
)
from restante.sasl.scram import ScramSha256
from restante.sasl.scram_client import ScramClient
from restante.sasl.scram_keys import salted_password
from restante.tenancy.model import Directory, Login
from restante.tenancy.sealed_secrets import Vault, login_owner

PASSWORD = "a password"
CHALLENGE = b"<1@mx2.example.net>"
VAULT = Vault(bytes(32))


class ByHand(Executor):
    """Begins what it is given when asked, and ends it at once."""

    def __init__(self) -> None:
        self.begun: deque[tuple[Callable[..., Any], Future[Any]]] = deque()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()
        self.begun.append((lambda: fn(*args, **kwargs), future))
        return future

    def end_one(self) -> None:
        work, future = self.begun.popleft()
        try:
            future.set_result(work())
        except Exception as error:  # noqa: BLE001
            future.set_exception(error)


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


class Checks:
    """A lane with one thread, and the checks that have run in it."""

    def __init__(self, limit: float) -> None:
        self.hand = ByHand()
        self.lane = CredentialLane(self.hand, 1, limit)
        self.ran: list[str] = []
        self.put_off: list[str] = []
        self.gone: set[str] = set()  # shares

    def come(self, *names: str) -> list[asyncio.Task[None]]:
        """The first letter is the share."""
        return [asyncio.ensure_future(self._come(name)) for name in names]

    async def end_all(self) -> None:
        await settled()
        while self.hand.begun:
            self.hand.end_one()
            await settled()

    async def _come(self, name: str) -> None:
        answer = await self.lane.run(
            name[0], lambda: self._run(name), lambda: name[0] not in self.gone
        )
        if answer is CheckOmitted.UNCHECKED:
            self.put_off.append(name)

    def _run(self, name: str) -> bytes:
        self.ran.append(name)
        return b""


def test_shares_take_turns() -> None:
    async def scene() -> list[str]:
        checks = Checks(100)
        checks.come("a0", "a1", "a2", "a3", "b1", "b2", "c1")
        await checks.end_all()
        return checks.ran

    assert asyncio.run(scene()) == ["a0", "a1", "b1", "c1", "a2", "b2", "a3"]


def test_one_share_cannot_fill_the_line_for_others() -> None:
    """Five may run or wait. A later one replaces one of the largest share."""

    async def scene() -> tuple[list[str], list[str]]:
        checks = Checks(5)
        checks.come("a0", "a1", "a2", "a3", "a4", "a5", "b1", "b2", "b3")
        await checks.end_all()
        return checks.ran, sorted(checks.put_off)

    assert asyncio.run(scene()) == (["a0", "a1", "b1", "a2", "b2"], ["a3", "a4", "a5", "b3"])


def test_a_place_is_free_again_once_a_check_has_ended() -> None:
    async def scene() -> tuple[list[str], list[str]]:
        checks = Checks(1)
        checks.come("a1", "b1")
        await checks.end_all()
        checks.come("b2")
        await checks.end_all()
        return checks.ran, checks.put_off

    assert asyncio.run(scene()) == (["a1", "b2"], ["b1"])


def test_a_cancelled_check_keeps_no_thread_and_no_turn() -> None:
    async def scene() -> list[str]:
        checks = Checks(100)
        tasks = checks.come("a1", "b1", "c1")
        await settled()
        tasks[0].cancel()  # it runs: its thread goes on to the end
        tasks[1].cancel()
        await settled()
        assert len(checks.hand.begun) == 1
        await checks.end_all()
        return checks.ran

    assert asyncio.run(scene()) == ["a1", "c1"]


def test_a_flood_that_has_left_keeps_no_lane_busy() -> None:
    async def scene() -> tuple[list[str], list[str]]:
        checks = Checks(5)
        checks.come("a1", "b1", "c1", "d1", "e1")
        await settled()
        checks.gone.update("bcde")
        checks.come("f1")  # there is room again
        await settled()
        checks.come("g1")
        await settled()
        checks.gone.add("g")  # before its turn
        await checks.end_all()
        return checks.ran, checks.put_off

    assert asyncio.run(scene()) == (["a1", "f1"], ["b1", "c1", "d1", "e1", "g1"])


def test_a_check_that_fails_is_no_answer_and_holds_up_nobody() -> None:
    def fail() -> bytes:
        raise MemoryError

    async def scene() -> list[str]:
        checks = Checks(100)
        failing = asyncio.ensure_future(checks.lane.run("a", fail))
        checks.come("b1")
        await checks.end_all()
        with pytest.raises(MemoryError):
            await failing
        return checks.ran

    assert asyncio.run(scene()) == ["b1"]


def test_after_closing_nothing_is_checked_and_nobody_waits() -> None:
    async def scene() -> tuple[list[str], list[str]]:
        checks = Checks(100)
        checks.come("a1", "a2")
        await settled()
        checks.lane.close()
        checks.come("a3")
        await settled()
        assert checks.put_off == ["a2", "a3"]
        await checks.end_all()
        return checks.ran, checks.put_off

    assert asyncio.run(scene()) == (["a1"], ["a2", "a3"])


def test_a_line_without_room_takes_nobody() -> None:
    line: FairLine[str] = FairLine()
    assert line.enter("a", "a1", 0) == "a1"
    assert (len(line), line.next()) == (0, None)


class Scene:
    """An authenticator whose checks end when the test says so."""

    def __init__(self, limit: int = 100) -> None:
        self.passwords, self.proofs = (
            (ByHand(), ByHand()),
            (ByHand(), ByHand()),
        )  # at home, strangers
        lanes = (
            CredentialLanes(CredentialLane(home, 1), CredentialLane(strangers, 2, limit))
            for home, strangers in (self.passwords, self.proofs)
        )
        self.authenticator = Authenticator(
            VAULT, *lanes, matches=lambda known, typed: typed in known
        )
        self.passwords[1].begun.clear()  # the preparation
        logins = [
            Login(user, user, PASSWORD, VAULT.seal(PASSWORD, login_owner(user)), 0.0)
            for user in ("alpha", "beta")
        ]
        self.directory = Directory(logins={login.user: login for login in logins})

    def begin(
        self, credentials: SaslCredentials, place: LanePosition
    ) -> asyncio.Task[ProvedLogin | CheckOmitted | None]:
        return asyncio.create_task(
            self.authenticator.authenticate(credentials, self.directory, place)
        )

    def strangers_come(self, count: int) -> None:
        """They guess, each from an address block of its own."""
        for block in range(count):
            self.begin(password("guess"), LanePosition(is_authorized_host=False, share=block))
            self.begin(self.proof("guess"), LanePosition(is_authorized_host=False, share=block))

    def proof(self, typed: str) -> SaslCredentials:
        """Do what a SCRAM client does."""
        client = ScramClient("alpha", "nonce")
        mechanism = ScramSha256(
            "ours", lambda user: self.authenticator.salting(user, self.directory)
        )
        first = mechanism.begin(client.first())
        salting = client.take_server_first(first.text)
        credentials = mechanism.respond(client.final(salted_password(typed, salting)))
        assert isinstance(credentials, ScramCredentials)
        return credentials


def password(typed: str, user: str = "alpha") -> SaslCredentials:
    return PasswordCredentials(user, typed)


def user_of(answer: ProvedLogin | CheckOmitted | None) -> str:
    assert isinstance(answer, ProvedLogin), answer
    return answer.login.user


AT_HOME = LanePosition(is_authorized_host=True, share="alpha")


def test_a_login_at_home_is_checked_while_strangers_wait() -> None:
    async def scene() -> list[str]:
        scene = Scene()
        scene.strangers_come(50)
        at_home = [
            scene.begin(password(PASSWORD), AT_HOME),
            scene.begin(scene.proof(PASSWORD), AT_HOME),
        ]
        await settled()
        scene.passwords[0].end_one()  # none of the strangers' has ended
        scene.proofs[0].end_one()
        await settled()
        assert all(each.done() for each in at_home)
        return [user_of(each.result()) for each in at_home]

    assert asyncio.run(scene()) == ["alpha", "alpha"]


def test_a_proof_waits_behind_no_hash() -> None:
    """A stranger's neither, and though hashes of clients at home wait."""

    async def scene() -> list[str]:
        scene = Scene()
        stranger = LanePosition(is_authorized_host=False, share=1)
        for place in (stranger, AT_HOME) * 50:
            scene.begin(password("guess"), place)
        proofs = [scene.begin(scene.proof(PASSWORD), place) for place in (AT_HOME, stranger)]
        await settled()
        for hand in scene.proofs:
            hand.end_one()
        await settled()
        assert all(each.done() for each in proofs)
        return [user_of(each.result()) for each in proofs]

    assert asyncio.run(scene()) == ["alpha", "alpha"]


def test_a_login_at_home_is_checked_though_no_more_strangers_may_wait() -> None:
    async def scene() -> None:
        scene = Scene(limit=0)
        for credentials, hands in (
            (password(PASSWORD), scene.passwords),
            (scene.proof(PASSWORD), scene.proofs),
        ):
            stranger = scene.begin(credentials, LanePosition(is_authorized_host=False, share=1))
            at_home = scene.begin(credentials, AT_HOME)
            await settled()
            assert (stranger.result(), at_home.done(), len(hands[0].begun)) == (
                CheckOmitted.UNCHECKED,
                False,
                1,
            )
            hands[0].end_one()
            assert user_of(await at_home) == "alpha"

    asyncio.run(scene())


def test_accounts_take_turns_in_the_home_lane() -> None:
    """A login may authorize the whole Internet. Then all who guess at it are at home."""

    async def scene() -> str:
        scene = Scene()
        for _ in range(50):
            scene.begin(
                password("guess", "beta"), LanePosition(is_authorized_host=True, share="beta")
            )
        at_home = scene.begin(password(PASSWORD), AT_HOME)
        for _ in range(2):  # the one that runs, and this one
            await settled()
            scene.passwords[0].end_one()
        await settled()
        assert not at_home.done()  # beta's next is before it: it came first
        scene.passwords[0].end_one()
        await settled()
        assert at_home.done()
        return user_of(at_home.result())

    assert asyncio.run(scene()) == "alpha"


@pytest.mark.parametrize(("typed", "is_proof"), [(PASSWORD, True), ("guess", False)])
@pytest.mark.parametrize("is_authorized_host", [True, False])
def test_a_digest_waits_for_nothing(
    typed: str, *, is_proof: bool, is_authorized_host: bool
) -> None:
    async def scene() -> bool:
        scene = Scene(limit=0)
        scene.strangers_come(50)
        response = DigestCredentials("alpha", CHALLENGE, digest(typed, CHALLENGE))
        return await scene.begin(response, LanePosition(is_authorized_host, 1)) is not None

    assert asyncio.run(scene()) is is_proof
