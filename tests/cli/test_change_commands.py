"""`restante change`, and the change that waits in `domain show`."""

import asyncio
import json
from pathlib import Path

from restante.cli.change_commands import changed_text
from restante.store.choice import open_store
from restante.tenancy.audit import AuditAction, AuditEntry
from restante.tenancy.model import parse_authorized_hosts
from restante.tenancy.scheduled_change import ChangeMaker, PartReplacement, ScheduledChange
from tests.cli.conftest import Command

NOTED = AuditEntry(1.0, AuditAction.CHANGE_SCHEDULED, "token ci (alpha)", "alpha.example", "alpha")


def schedule(installation: Path) -> None:
    """Keep a change of the authorized hosts of alpha.example, as an account's token asks for it."""

    async def keep() -> None:
        store = await open_store(f"sqlite://{installation / 'data'}")
        try:
            domain = (await store.records.directory()).domains["alpha.example"]
            wanted = parse_authorized_hosts(["198.51.100.9"])
            change = ScheduledChange(
                0,
                domain.id,
                domain.name,
                domain.account,
                ChangeMaker("token ci (alpha)", "192.0.2.9", "k3v9x0q2ma"),
                1e9,
                4e9,
                authorized_hosts=PartReplacement(domain.authorized_hosts, wanted),
            )
            await store.schedule.schedule_change(change, NOTED)
        finally:
            await store.close()

    asyncio.run(keep())


def test_a_waiting_change_is_shown_and_cancelled(installation: Path, command: Command) -> None:
    schedule(installation)
    table = command("change", "list")
    assert (table.code, "1 waiting change" in table.out) == (0, True)
    [row] = json.loads(command("change", "list", "--domain", "alpha.example", "--json").out)
    assert (row["id"], row["asked_by"]) == (1, "token ci (alpha)")
    shown = command("domain", "show", "alpha.example").out
    assert "waiting change" in shown
    assert "198.51.100.9" in shown
    assert json.loads(command("domain", "show", "alpha.example", "--json").out)[
        "waiting_changes"
    ] == [row]
    done = command("change", "cancel", "1", "--reason", "not asked for by us")
    assert (done.code, done.out.startswith("change 1 of domain alpha.example cancelled: ")) == (
        0,
        True,
    )
    assert command("change", "list", "--json").out.strip() == "[]"
    assert command("change", "cancel", "1").code == 66
    assert "198.51.100.9" not in command("domain", "show", "alpha.example").out


def test_a_waiting_change_is_applied_early(installation: Path, command: Command) -> None:
    schedule(installation)
    done = command("change", "apply", "1", "--json")
    assert json.loads(done.out)["id"] == 1
    shown = json.loads(command("domain", "show", "alpha.example", "--json").out)
    assert (shown["allow"], shown["waiting_changes"]) == (["198.51.100.9"], [])


def test_changes_are_told_in_one_line() -> None:
    changes = [
        {"field": "a", "before": "1", "after": "2"},
        {"field": "b", "before": "", "after": "x"},
    ]
    assert changed_text({"changes": changes}) == "a: 1 → 2, b:  → x"
