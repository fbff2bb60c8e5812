"""`restante drill`: steps that fit a terminal, exit codes, and the proof in a file."""

import asyncio
import io
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from restante.admin.drill_arrival import note_arrived
from restante.cli import drill_command
from tests.admin.admin_world import AdminWorld
from tests.admin.test_drill_arrival import BEGINNING, CLIENT, CONNECTION, header_of
from tests.cli.conftest import Command


def test_a_drill_that_fails_tells_the_step_and_the_remedy(
    admin: AdminWorld, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "proof.json"
    shown = command("drill", "alpha.example", "--proof", str(file))
    assert shown.code == 2
    assert shown.out.startswith("check of the domain FAILED: ")
    assert "→ `restante domain check alpha.example`, or --despite-check" in shown.out
    assert shown.out.endswith("alpha.example: not proven\n")
    assert all(len(line) <= 80 for line in shown.out.splitlines())
    assert json.loads(file.read_text())["drill"]["failed_step"] == "check"
    verified = command("drill", "--verify", str(file))
    assert (verified.code, verified.out[:30]) == (2, "genuine: the drill of alpha.ex")
    monkeypatch.setattr(admin.context.vault, "_blocks", [bytes([2] * 32), bytes(32)])  # rotated
    rotated = command("drill", "--verify", str(file))
    assert (rotated.code, "signed with a former key" in rotated.out) == (2, True)
    file.write_text(file.read_text().replace('"check"', '"hold"'))
    assert command("drill", "--verify", str(file), "--json").code == 65
    again = command("drill", "alpha.example", "--proof", str(file))
    assert (again.code, "exists already" in again.err) == (64, True)


def test_it_takes_a_domain_or_a_proof(admin: AdminWorld, command: Command, tmp_path: Path) -> None:
    assert command("drill").code == 64
    assert command("drill", "alpha.example", "--verify", "x").code == 64
    assert command("drill", "--arrived", "x").code == 64
    for other in ("--verify", "--proof"):
        assert command("drill", "alpha.example", "--arrived", "x", other, "x").code == 64
    assert command("drill", "alpha.example", "--client", "here").code == 65
    assert command("drill", "--verify", str(tmp_path / "none")).code == 66
    empty = tmp_path / "empty"
    empty.write_bytes(b"")
    refused = command("drill", "--verify", str(empty))
    assert (refused.code, "this is no proof of a drill" in refused.err) == (66, True)
    deep = tmp_path / "deep"
    deep.write_text("[" * 100_000)
    assert command("drill", "--verify", str(deep)).code == 66


def test_it_reads_the_header_that_arrived(
    admin: AdminWorld, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(note_arrived(admin.store.retention, BEGINNING))
    judged = f"Received-SPF: fail client-ip={CONNECTION}\n"
    file = tmp_path / "header"
    server = (
        f"Received: from x (x [{CONNECTION}])\n by mail.alpha.example with ESMTPS id 2; today\n"
    )
    file.write_text(
        header_of(admin.context, server=judged + server) + "\n\nThe text is not sent.\n"
    )
    shown = command("drill", "alpha.example", "--arrived", str(file))
    assert shown.code == 2
    assert shown.out.startswith("WARN                filters of the primary judged this server")
    assert f"filters judged {CONNECTION}; the mail" in " ".join(shown.out.split())
    assert "→ set them up: `restante domain snippet alpha.example --for" in shown.out
    file.write_text(header_of(admin.context, server=judged.replace(CONNECTION, CLIENT) + server))
    piped = SimpleNamespace(stdin=SimpleNamespace(buffer=io.BytesIO(file.read_bytes() + b"\xff")))
    monkeypatch.setattr(drill_command, "sys", piped)
    shown = command("drill", "alpha.example", "--arrived", "-", "--json")
    assert (shown.code, json.loads(shown.out)["trust"]) == (0, "client")
    none = tmp_path / "none"
    absent = command("drill", "alpha.example", "--arrived", str(none))
    assert (absent.code, absent.err.count("none")) == (66, 1)
    none.write_bytes(b"\n")
    assert command("drill", "alpha.example", "--arrived", str(none)).code == 65
