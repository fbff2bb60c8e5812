"""Mail held again: recorded with its state before, and damaged mail only when it is whole."""

import pytest

from restante.admin.held_mail import (
    QueueSelection,
    list_queue,
)
from restante.admin.hold_again import MessagesToHoldAgain, hold_again
from restante.mail.envelope import Envelope
from restante.mail.message import NewMessage
from restante.queue.recipient_status import RecipientMove, RecipientStatus
from restante.store.store_errors import Damaged
from restante.tenancy.audit import AuditFilter
from restante.tenancy.record_change import Change
from tests.admin.admin_world import NOW, AdminWorld, all_of, run


async def filled() -> AdminWorld:
    """Two domains of two accounts: messages 1 and 2 for alpha, 3 for beta; 2 is refused."""
    admin = AdminWorld()
    alpha, beta = (
        await admin.host("alpha.example", "alpha"),
        await admin.host("beta.example", "beta"),
    )
    await admin.hold(1, alpha, "x@alpha.example", "y@alpha.example")
    await admin.hold(2, alpha, "x@alpha.example", reverse_path="")
    await admin.hold(3, beta, "z@beta.example")
    await admin.refuse(2, alpha, "x@alpha.example", "550 5.1.1 no such user")
    return admin


async def names(admin: AdminWorld, **selection: object) -> list[str]:
    return [
        view.name
        for view in await all_of(
            list_queue(admin.context, QueueSelection.model_validate(selection))
        )
    ]


def test_refused_mail_is_held_again() -> None:
    async def story() -> None:
        admin = await filled()
        done = await hold_again(admin.context, MessagesToHoldAgain(names=("1", "2", "9")))
        assert (done.changed, done.missing, done.damaged) == (1, ["9"], [])
        assert await names(admin, status=RecipientStatus.REFUSED) == []

    run(story())


def test_the_trail_says_what_the_mail_was_before_it_was_held_again() -> None:
    async def story() -> None:
        admin = await filled()
        await admin.refuse(1, 1, "x@alpha.example", "cut off", RecipientMove.UNCERTAIN)
        wanted = MessagesToHoldAgain(names=("1", "2"), status="uncertain", reason="not there")
        assert (await hold_again(admin.context, wanted)).changed == 1
        assert await names(admin, status=RecipientStatus.REFUSED) == ["2"]
        assert await names(admin, status=RecipientStatus.UNCERTAIN) == []
        entry = (await admin.store.audit.audit(AuditFilter(account="alpha"), limit=1))[0]
        assert (entry.action, entry.subject, entry.reason) == ("mail-held-again", "1", "not there")
        assert entry.changes == (Change("status", "uncertain", "held"),)
        assert admin.log.lines[-1][1]["action"] == "mail-held-again"

    run(story())


def test_damaged_mail_is_held_again_only_when_it_is_whole() -> None:
    async def story() -> None:
        admin = AdminWorld()
        number = await admin.host("alpha.example", "alpha")
        spool = admin.store.reception.open_spool()
        await spool.write(bytes(70_000))
        file = await spool.close()
        await admin.store.reception.hold(
            [NewMessage(7, number, Envelope("", ("x@alpha.example",)), NOW, b"", file)]
        )
        whole = admin.store.state.files[file.name]
        admin.store.state.files[file.name] = whole[:-1] + b"!"
        with pytest.raises(Damaged):
            await admin.store.content.prove_file(file, 1)
        wanted = MessagesToHoldAgain(names=("7",))
        done = await hold_again(admin.context, wanted)
        assert (done.changed, done.missing, [one.name for one in done.damaged]) == (0, [], ["7"])
        assert "damaged" in done.damaged[0].damage
        assert await names(admin, status=RecipientStatus.DAMAGED) == ["7"]
        admin.store.state.files[file.name] = whole
        assert (await hold_again(admin.context, wanted)).changed == 1
        assert await names(admin, status=RecipientStatus.HELD) == ["7"]

    run(story())
