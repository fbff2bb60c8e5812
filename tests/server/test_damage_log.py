"""Damaged messages are logged with their domain and account, also those found early."""

import asyncio

from restante.server.damage_log import DamageLog
from restante.telemetry.events import MessageDamaged
from tests.admin.admin_world import AdminWorld
from tests.log_lines import Lines


def test_damage_is_logged_with_domain_and_account_once_the_records_are_read() -> None:
    async def story() -> None:
        admin, log = AdminWorld(), Lines()
        alpha = await admin.host("alpha.example", "alpha")
        damage = DamageLog(log)
        damage.found(33, "its file is missing", alpha)
        damage.found(34, "its file is cut", 4711)
        assert log.lines == []
        damage.records_read(admin.context.directory)
        early = {"message": "11", "domain": "alpha.example", "account": "alpha"}
        removed = {"message": "12", "domain": "", "account": ""}
        assert log.of(MessageDamaged) == [
            {**early, "reason": "its file is missing"},
            {**removed, "reason": "its file is cut"},
        ]
        damage.found(35, "a checksum is wrong", alpha)
        assert [line["message"] for line in log.of(MessageDamaged)] == ["11", "12", "13"]

    asyncio.run(story())


def test_damage_found_early_is_logged_once() -> None:
    async def story() -> None:
        admin, log = AdminWorld(), Lines()
        damage = DamageLog(log)
        damage.found(33, "its file is missing", 1)
        damage.records_read(admin.context.directory)
        damage.records_read(admin.context.directory)
        assert len(log.of(MessageDamaged)) == 1

    asyncio.run(story())
