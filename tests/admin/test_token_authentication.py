"""A valid token is a principal; every other text gets one answer, and the log the true reason."""

import ipaddress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from restante.admin import tokens
from restante.admin.token_authentication import (
    FAILURE_SECONDS,
    FAILURES_UNTIL_REFUSAL,
    NoValidToken,
    TokenGate,
)
from restante.admin.token_uses import TokenUses
from restante.admin.tokens import AddedToken, NewToken
from restante.background.rounds import Rounds
from restante.telemetry.events import TokenRefused
from restante.telemetry.work_word import WorkWord
from restante.tenancy.grants import GrantedRole, Scope
from restante.tenancy.principal import Principal, Role
from restante.tenancy.token_chain import token_principal
from tests.admin.admin_world import NOW, AdminWorld, run

HOME = ipaddress.ip_address("192.0.2.7")
ELSEWHERE = ipaddress.ip_address("198.51.100.1")
NEW = NewToken(name="ci", account="alpha", scopes=(Scope.QUEUE_READ,))


@dataclass
class Scene:
    admin: AdminWorld = field(default_factory=AdminWorld)
    now: float = NOW
    monotonic: float = 0.0

    def __post_init__(self) -> None:
        records, log = self.admin.store.records, self.admin.log
        self.uses = TokenUses(records, Rounds(log, WorkWord.TOKEN_USES), lambda: self.now)
        self.gate = TokenGate(
            self.admin.context.directory,
            self.uses,
            log,
            now=lambda: self.now,
            monotonic=lambda: self.monotonic,
        )

    async def add(self, **fields: Any) -> AddedToken:
        if "alpha" not in self.admin.context.directory.now.accounts:
            await self.admin.host("alpha.example", "alpha")
        new = NewToken.model_validate(NEW.model_dump() | fields)
        return await tokens.add_token(self.admin.context, new)

    def authenticate(self, text: str, address: Any = HOME) -> Principal:
        return self.gate.authenticate({"authorization": text}, address)

    def refused(self, text: str, address: Any = HOME) -> str:
        with pytest.raises(NoValidToken) as caught:
            self.authenticate(text, address)
        return str(caught.value)

    @property
    def causes(self) -> list[tuple[str, str, str]]:
        events = [fields for kind, fields in self.admin.log.lines if kind is TokenRefused]
        return [(one["cause"], one["token_name"], one["account"]) for one in events]


def test_a_valid_token_acts_for_its_account() -> None:
    async def story() -> None:
        scene = Scene()
        added = await scene.add()
        for scheme in ("Bearer", "bearer", "BEARER"):
            principal = scene.authenticate(f"{scheme} {added.token}")
            assert (principal.role, principal.account) == (Role.ACCOUNT, "alpha")
            assert (principal.name, principal.acted_from) == ("token ci (alpha)", "192.0.2.7")
        await scene.uses.write()
        assert await scene.admin.store.records.token_uses() == {added.id: NOW}

    run(story())


def test_every_refusal_has_one_text_and_the_log_has_the_reason() -> None:
    async def story() -> None:
        scene = Scene()
        good = await scene.add()
        expired = await scene.add(name="old", expires_at=datetime.fromtimestamp(NOW + 5, UTC))
        revoked = await scene.add(name="gone")
        inside = await scene.add(name="inside", networks=("203.0.113.0/24",))
        await tokens.revoke_token(scene.admin.context, revoked.id, "leaked")
        scene.now = NOW + 10
        wrong = good.token[:-1] + ("A" if good.token[-1] != "A" else "B")
        texts = {
            scene.refused(f"Bearer {text}")
            for text in (
                wrong,
                f"rst_unknown000_{'x' * 43}",
                expired.token,
                revoked.token,
                inside.token,
                "nonsense",
                "",
                "x" * 100_000,
                "rst_é_\0",
            )
        }
        texts |= {scene.refused(text) for text in ("", "Basic YTpi", good.token)}
        assert texts == {"no valid token came with the request"}
        assert scene.causes == [
            ("wrong-secret", "ci", "alpha"),
            ("unknown", "", ""),
            ("expired", "old", "alpha"),
            ("revoked", "gone", "alpha"),
            ("wrong-network", "inside", "alpha"),
            *[("unknown", "", "")] * 4,
        ]
        secrets = [one.token.split("_", 2)[2] for one in (good, expired, revoked, inside)]
        assert not any(secret in repr(scene.admin.log.lines) for secret in secrets)
        assert wrong[-40:] not in repr(scene.admin.log.lines)

    run(story())


def test_a_wrong_secret_tells_nothing_of_the_state() -> None:
    async def story() -> None:
        scene = Scene()
        revoked = await scene.add()
        await tokens.revoke_token(scene.admin.context, revoked.id, "leaked")
        scene.refused(f"Bearer rst_{revoked.id}_{'x' * 43}")
        assert scene.causes == [("wrong-secret", "ci", "alpha")]

    run(story())


def test_a_token_is_compared_as_often_for_an_unknown_id(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        scene = Scene()
        added = await scene.add()
        compared: list[str] = []

        def hashed(secret: str) -> bytes:
            compared.append(secret)
            return b""

        monkeypatch.setattr("restante.tenancy.api_token.hash_secret", hashed)
        scene.refused(f"Bearer rst_unknown000_{'x' * 43}")
        scene.refused(f"Bearer rst_{added.id}_{'x' * 43}")
        scene.refused("Bearer nonsense")
        assert len(compared) == 3

    run(story())


def test_a_token_follows_its_makers_at_each_request() -> None:
    async def story() -> None:
        scene = Scene()
        admin = await scene.add(name="admin", role=GrantedRole.ACCOUNT_ADMIN, scopes=())
        directory = scene.admin.context.directory.now
        context = scene.admin.context.acting(
            token_principal(directory.tokens[admin.id], directory, "192.0.2.1")
        )
        made = await tokens.add_token(context, NEW)
        assert scene.authenticate(f"Bearer {made.token}").grants == (
            frozenset({Scope.QUEUE_READ}),
            frozenset({GrantedRole.ACCOUNT_ADMIN}),
        )
        kept = scene.admin.context.directory.now.tokens[admin.id]
        reduced = replace(kept, grants=frozenset({Scope.RELEASE}), networks=())
        await scene.admin.store.records.put_token(
            reduced, (await scene.admin.store.audit.audit(limit=1))[0]
        )
        await scene.admin.context.directory.refresh()
        assert scene.authenticate(f"Bearer {made.token}").grants[1] == {Scope.RELEASE}
        await tokens.revoke_token(scene.admin.context, admin.id, "left")
        scene.refused(f"Bearer {made.token}")
        assert scene.causes == [("maker-gone", "ci", "alpha")]

    run(story())


def test_a_flood_is_not_logged_and_locks_nobody_out() -> None:
    async def story() -> None:
        scene = Scene()
        added = await scene.add()
        for _ in range(FAILURES_UNTIL_REFUSAL):
            assert scene.refused("Bearer x") == "no valid token came with the request"
        for _ in range(50):
            assert scene.refused("Bearer x") == "too many wrong tokens came from this address"
        assert len(scene.causes) == FAILURES_UNTIL_REFUSAL
        assert scene.authenticate(f"Bearer {added.token}").account == "alpha"
        assert scene.refused("Bearer x", ELSEWHERE) == "no valid token came with the request"
        scene.monotonic += FAILURE_SECONDS + 1
        assert scene.refused("Bearer x") == "no valid token came with the request"

    run(story())


def test_a_token_in_a_url_is_logged() -> None:
    async def story() -> None:
        scene = Scene()
        added = await scene.add()
        scene.gate.refuse_url(added.id, HOME)
        assert scene.causes == [("in-url", "ci", "alpha")]

    run(story())


def test_a_mapped_address_is_the_address_of_ipv4() -> None:
    async def story() -> None:
        scene = Scene()
        added = await scene.add(networks=("192.0.2.0/24",))
        mapped = ipaddress.ip_address("::ffff:192.0.2.7")
        assert scene.authenticate(f"Bearer {added.token}", mapped).acted_from == "192.0.2.7"

    run(story())
