"""An account's change that lets somebody take mail by ATRN is announced, and in force later."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from restante.admin import login_passwords
from restante.admin.accounts import AccountChange, change_account
from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.change_scheduling import time_text
from restante.admin.domain_change import DomainChange
from restante.admin.domains import change_domain
from restante.admin.logins import LoginChange, NewLogin, add_login, change_login, show_login
from restante.admin.turnaround_delay import opens
from restante.config.self_signed import new_ecdsa_key, self_signed_client
from restante.telemetry.events import TurnaroundRightGiven
from restante.tenancy.client_certificates import read_login_certificates
from restante.tenancy.model import Login
from tests.admin.admin_world import NOW, AdminWorld, run, with_settings
from tests.web.portal.visitors import ALPHA

DELAY = 3600.0
PEM = self_signed_client("primary", new_ecdsa_key(), NOW).decode()
CERTIFICATES = read_login_certificates(PEM)
TURNING = Login("primary", "alpha", "hash", None, 0.0, turnaround=True)


class Scene:
    """An account with a login, seen by its administrator and by an operator."""

    def __init__(self) -> None:
        self.admin = AdminWorld()
        self.now = NOW
        context = with_settings(self.admin.context, change_delay=lambda: DELAY)
        self.operator = replace(context, now=lambda: self.now)
        self.alpha = self.operator.acting(ALPHA)

    async def open(self, *, turnaround: bool = False) -> "Scene":
        await self.admin.host("alpha.example", "alpha")
        allowed = DomainChange.model_validate({"turnaround": "allow"})
        await change_domain(self.operator, "alpha.example", allowed)
        new = NewLogin(user="primary", password=SecretStr("correct horse"), turnaround=turnaround)
        await add_login(self.operator, "alpha", new)
        return self

    async def change(self, context: AdminContext | None = None, **fields: Any) -> float | None:
        """Change the login, and return for how long its turnarounds are held back."""
        wanted = LoginChange(**fields)
        await change_login(context or self.alpha, "alpha", "primary", wanted)
        login = self.operator.directory.now.logins["primary"]
        shown = await show_login(self.alpha, "alpha", "primary")
        is_held_back = login.turnaround and not login.may_turn(self.now)
        assert (shown.turnaround_at is not None) == is_held_back
        return login.turnaround_at and login.turnaround_at - self.now

    @property
    def told(self) -> list[dict[str, Any]]:
        return [line for of, line in self.admin.log.lines if of is TurnaroundRightGiven]


@pytest.fixture(autouse=True)
def fast_hashing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login_passwords, "hash_password", lambda password: f"hash of {password}")


def test_the_right_waits_and_can_be_taken_back() -> None:
    async def story() -> None:
        scene = await Scene().open()
        assert await scene.change(turnaround=True) == DELAY
        [told] = scene.told
        assert (told["account"], told["login"], told["actor"]) == (
            "alpha",
            "primary",
            "user anna (alpha)",
        )
        assert told["begins"] == time_text(NOW + DELAY)
        assert any("turnaround" in one for one in told["changes"])
        assert await scene.change(turnaround=True) == DELAY  # it is no new wish
        scene.now += 600
        assert await scene.change(turnaround=True) == DELAY - 600
        assert await scene.change(turnaround=False) is None
        assert len(scene.told) == 1
        scene.now += DELAY
        assert not scene.operator.directory.now.logins["primary"].may_turn(scene.now)

    run(story())


OPENING: dict[str, dict[str, Any]] = {
    "password": {"password": SecretStr("another horse")},
    "rotation": {"password": SecretStr("another horse"), "rotate": True},
    "certificate": {"add_certificates": (PEM,)},
}


@pytest.mark.parametrize("fields", OPENING.values(), ids=OPENING.keys())
def test_another_proof_of_a_login_that_has_the_right_waits(fields: dict[str, Any]) -> None:
    async def story() -> None:
        scene = await Scene().open(turnaround=True)
        assert await scene.change(**fields) == DELAY
        assert len(scene.told) == 1
        scene.now += DELAY
        assert scene.operator.directory.now.logins["primary"].may_turn(scene.now)

    run(story())


def test_an_operator_does_not_wait_and_ends_the_wait_of_an_account() -> None:
    async def story() -> None:
        scene = await Scene().open(turnaround=True)
        assert await scene.change(scene.operator, password=SecretStr("another horse")) is None
        assert scene.told == []
        assert await scene.change(add_certificates=(PEM,)) == DELAY
        assert await scene.change(scene.operator, cram_md5=False) == DELAY
        assert await scene.change(scene.operator, turnaround=True) is None

    run(story())


def test_a_login_that_an_account_adds_with_the_right_waits() -> None:
    async def story() -> None:
        scene = await Scene().open()
        new = NewLogin(user="second", password=SecretStr("correct horse"), turnaround=True)
        added = await add_login(scene.alpha, "alpha", new)
        assert added.turnaround_at is not None
        plain = NewLogin(user="third", password=SecretStr("correct horse"))
        assert (await add_login(scene.alpha, "alpha", plain)).turnaround_at is None
        assert len(scene.told) == 1

    run(story())


async def _lock_account(scene: Scene) -> None:
    await change_account(scene.operator, "alpha", AccountChange(change_lock=True))


async def _lock_domain(scene: Scene) -> None:
    locked = DomainChange.model_validate({"change_lock": True})
    await change_domain(scene.operator, "alpha.example", locked)


@pytest.mark.parametrize("lock", [_lock_account, _lock_domain])
def test_a_lock_of_the_operator_refuses_it(lock: Callable[[Scene], Awaitable[None]]) -> None:
    async def story() -> None:
        scene = await Scene().open(turnaround=True)
        await lock(scene)
        for fields in OPENING.values():
            with pytest.raises(AdminError, match="by ATRN, and an operator has locked") as refused:
                await scene.change(**fields)
            assert refused.value.kind is ErrorKind.NOT_ALLOWED
        assert await scene.change(turnaround=False) is None
        with pytest.raises(AdminError, match="by ATRN"):
            await scene.change(turnaround=True)
        assert await scene.change(scene.operator, turnaround=True) is None

    run(story())


@pytest.mark.parametrize(
    ("before", "after", "is_opening"),
    [
        (None, TURNING, True),
        (None, replace(TURNING, turnaround=False), False),
        (TURNING, replace(TURNING, sealed_secret=b"x"), False),
        (TURNING, replace(TURNING, password_hash=""), False),
        (replace(TURNING, certificates=CERTIFICATES), TURNING, False),
        (TURNING, replace(TURNING, certificates=CERTIFICATES), True),
        (TURNING, replace(TURNING, valid_until=9.0), False),
        (replace(TURNING, valid_until=9.0), TURNING, True),
        (replace(TURNING, valid_until=11.0), TURNING, False),
    ],
)
def test_what_opens_a_login(before: Login | None, after: Login, is_opening: bool) -> None:
    assert opens(before, after, 10.0) is is_opening
