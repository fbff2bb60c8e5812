"""The last uses of logins are written once a minute, and ends are announced."""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from restante.background.clocks import Clocks
from restante.reception.login_inbox import LoginInbox
from restante.reception.login_keeper import LoginKeeper, rotation_step_due
from restante.store.live_directory import LiveDirectory
from restante.store.memory import MemoryStore
from restante.store.store_errors import StoreError
from restante.telemetry.authentication_result import AuthenticationResult
from restante.telemetry.events import AuthenticationEnded, LoginExpiring, StoreFailed
from restante.tenancy.audit import AuditAction, AuditFilter
from restante.tenancy.model import Login, LoginUse, PriorPassword
from tests.contract.making import NOTED, account
from tests.contract.making import login as made_login
from tests.log_lines import Lines

T = TypeVar("T")
DAY = 86400.0
LOGIN: Login = made_login()


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


class Scene:
    """A keeper over a memory store that holds one login."""

    def __init__(self, login: Login = LOGIN) -> None:
        self.now = 1000.0
        self.login = login
        self.log = Lines()
        self.store = MemoryStore()
        self.inbox = LoginInbox(lambda: self.now)
        self.directory = LiveDirectory(self.store.records)
        self.stepped = 0.0  # how far the wall clock was set
        clocks = Clocks(lambda: self.now + self.stepped, lambda: self.now, self._wait)
        self.keeper = LoginKeeper(self.store, self.directory, self.inbox, self.log, clocks=clocks)
        self._ends: list[float] = []

    async def rounds(self, *seconds: float) -> None:
        """Let it do a round now, and one after each of these pauses."""
        await self.store.records.put_account(account(), NOTED)
        if self.login.user not in self.directory.now.logins:
            await self.store.records.put_login(self.login, NOTED)
        await self.directory.refresh()
        self._ends = list(seconds)
        with pytest.raises(asyncio.CancelledError):
            await self.keeper.run()

    async def _wait(self, _event: asyncio.Event, _seconds: float) -> None:
        if not self._ends:
            raise asyncio.CancelledError
        self.now += self._ends.pop(0)

    def hear(self, result: AuthenticationResult) -> None:
        self.inbox.hear(
            AuthenticationEnded(
                peer="192.0.2.1", login=self.login.user, mechanism="PLAIN", result=result
            )
        )

    async def refusals(self) -> list[str]:
        wanted = AuditFilter(action=AuditAction.LOGIN_REFUSED)
        return [entry.reason for entry in await self.store.audit.audit(wanted)]


@pytest.mark.parametrize(
    ("days", "step"), [(15, None), (14, 14), (7, 7), (2, 3), (1, 1), (0, 0), (-1, 0)]
)
def test_the_steps(days: float, step: int | None) -> None:
    assert rotation_step_due(replace(LOGIN, valid_until=1000.0 + days * DAY), 1000.0) == step


def test_a_login_without_end_has_no_step() -> None:
    assert rotation_step_due(LOGIN, 1000.0) is None


def test_the_last_use_is_written() -> None:
    scene = Scene()
    scene.hear(AuthenticationResult.ACCEPTED)
    run(scene.rounds())
    use = LoginUse(1000.0, "192.0.2.1", "PLAIN")
    assert run(scene.store.records.login_uses()) == {LOGIN.user: use}


def test_uses_since_the_last_round_are_written_at_the_end() -> None:
    scene = Scene()
    run(scene.rounds())
    scene.hear(AuthenticationResult.ACCEPTED)
    run(scene.keeper.finish())
    assert set(run(scene.store.records.login_uses())) == {LOGIN.user}


def test_a_use_that_could_not_be_written_is_written_in_the_next_round(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fails(_uses: object) -> None:
        raise StoreError("the disk is full")

    scene = Scene()
    scene.hear(AuthenticationResult.ACCEPTED)
    with monkeypatch.context() as patch:
        patch.setattr(scene.store.records, "record_login_uses", fails)
        run(scene.rounds())
    assert scene.log.of(StoreFailed)
    run(scene.rounds())
    assert set(run(scene.store.records.login_uses())) == {LOGIN.user}


def test_a_right_password_that_comes_too_late_is_in_the_trail_once_an_hour() -> None:
    scene = Scene(replace(LOGIN, valid_until=900.0))
    for _ in range(3):
        scene.hear(AuthenticationResult.EXPIRED)
        run(scene.rounds(60.0))
    reason = "the password is right, but the login expired at 1970-01-01T00:15:00Z"
    assert run(scene.refusals()) == [reason]
    scene.now += 3600.0
    scene.hear(AuthenticationResult.EXPIRED)
    run(scene.rounds())
    assert run(scene.refusals()) == [reason] * 2


@pytest.mark.parametrize("step", [-7200.0, 7200.0])
def test_setting_the_clock_changes_no_hour_between_two_entries(step: float) -> None:
    scene = Scene(replace(LOGIN, valid_until=-DAY))
    scene.hear(AuthenticationResult.EXPIRED)
    run(scene.rounds())
    scene.stepped = step
    for seconds, entries in ((3000.0, 1), (600.0, 2)):
        scene.now += seconds
        scene.hear(AuthenticationResult.EXPIRED)
        run(scene.rounds())
        assert len(run(scene.refusals())) == entries


def test_the_account_is_told_of_each_step_once() -> None:
    scene = Scene(replace(LOGIN, valid_until=1000.0 + 8 * DAY))
    run(scene.rounds(60.0, DAY, 60.0, 5 * DAY, DAY, DAY))
    assert [line["days"] for line in scene.log.of(LoginExpiring)] == [14, 7, 3, 1, 0]
    assert scene.log.of(LoginExpiring)[0]["account"] == "alpha"


def test_an_old_password_is_forgotten_when_its_time_is_over() -> None:
    prior = PriorPassword("$argon2id$old", None, None, 1060.0)
    scene = Scene(replace(LOGIN, prior=prior))
    run(scene.rounds())
    assert run(scene.store.records.directory()).logins[LOGIN.user].prior == prior
    run(scene.rounds(60.0))
    assert run(scene.store.records.directory()).logins[LOGIN.user] == LOGIN
    entry = run(scene.store.audit.audit())[0]
    assert (entry.actor, entry.subject) == ("policy rotation", LOGIN.user)
    assert "$argon2id$old" not in str(entry)
