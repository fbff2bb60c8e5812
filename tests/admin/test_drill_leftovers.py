"""The message of a drill that did not end is found by its mark, and removed."""

from dataclasses import replace

from restante.admin.drill_leftovers import (
    SURE_SECONDS,
    DrillBeginning,
    beginnings,
    mark_beginning,
    remove_leftover,
)
from restante.mail.envelope import Envelope
from restante.mail.message import NewMessage
from restante.readiness.drill_message import drill_id_start
from restante.tenancy.audit import AuditAction
from restante.tenancy.sealed_secrets import Vault
from tests.admin.admin_world import NOW, AdminWorld, run

PATH = "postmaster@alpha.example"


class Scene:
    """A domain with the mark of a drill that began now, at another server."""

    def __init__(self) -> None:
        self.admin = AdminWorld()

    async def open(self) -> "Scene":
        domain_id = await self.admin.host("alpha.example", "alpha")
        self.beginning = DrillBeginning(domain_id, "alpha.example", NOW + 0.123)
        await mark_beginning(self.admin.store.retention, self.beginning)
        return self

    @property
    def message_id(self) -> str:
        return drill_id_start(self.beginning.token(self.admin.context.vault)) + "mx1.example.net>"

    async def hold(self, number: int, message_id: str, reverse_path: str = "") -> None:
        held = NewMessage(
            number, 1, Envelope(reverse_path, (PATH,)), NOW + 1, b"Subject: x\r\n\r\n"
        )
        await self.admin.store.reception.hold([held._replace(message_id=message_id)])

    async def remove(self, later: float = 2.0) -> None:
        context = replace(self.admin.context, now=lambda: NOW + later)
        await remove_leftover(context, context.directory.now.domains["alpha.example"])

    async def marked(self) -> bool:
        return 1 in await beginnings(self.admin.store.retention)

    async def held(self) -> int:
        return self.admin.store.figures.usage(1).messages


def test_the_message_is_removed_and_nothing_else_and_the_trail_has_it() -> None:
    async def story() -> None:
        scene = await Scene().open()
        await scene.hold(1, "<drill.0123456789abcdef@mx1.example.net>")
        await scene.hold(2, scene.message_id, "a@b.example")  # drills have no reverse-path
        await scene.hold(3, scene.message_id)
        await scene.remove()
        assert (await scene.held(), await scene.marked()) == (2, False)
        [entry] = await scene.admin.store.audit.audit(limit=1)
        assert entry.action == AuditAction.MAIL_DELETED
        assert "left by a drill" in entry.reason

    run(story())


def test_it_is_found_after_a_rotation_of_the_key() -> None:
    async def story() -> None:
        scene = await Scene().open()
        await scene.hold(3, scene.message_id)
        rotated = Vault(bytes([7] * 32) + bytes(32))
        scene.admin.context = replace(scene.admin.context, vault=rotated)
        await scene.remove()
        assert await scene.held() == 0

    run(story())


def test_a_message_that_may_come_in_yet_is_looked_for_until_it_cannot() -> None:
    async def story() -> None:
        scene = await Scene().open()
        await scene.remove()
        assert await scene.marked()
        await scene.hold(3, scene.message_id)
        await scene.remove()
        assert (await scene.held(), await scene.marked()) == (0, False)
        await mark_beginning(scene.admin.store.retention, scene.beginning)
        await scene.remove(SURE_SECONDS + 1)
        assert not await scene.marked()

    run(story())


def test_each_drill_has_a_token_of_its_own() -> None:
    one, two = Vault(bytes(32)), Vault(bytes([1] * 32))
    tokens = {
        DrillBeginning(1, domain, at).token(vault)
        for domain in ("a.example", "b.example")
        for at in (NOW, NOW + 1)
        for vault in (one, two)
    }
    assert len(tokens) == 8
    assert {len(token) for token in tokens} == {16}
