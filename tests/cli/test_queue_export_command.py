"""An export: copies that other programs read, for their owner only, and nothing overwritten."""

import json
import re
import stat
from email import message_from_bytes
from email.policy import default
from mailbox import Maildir, mbox
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Command
from tests.cli.difficult_mail import hold_difficult_mail
from tests.flipped_bit import flip_a_bit


@pytest.fixture
def held(installation: Path, command: Command, tmp_path: Path) -> list[dict[str, Any]]:
    """Difficult mail in a store without a server; the result of `queue list`."""
    return hold_difficult_mail(command, tmp_path)


def test_other_programs_read_the_copies(
    held: list[dict[str, Any]], command: Command, tmp_path: Path
) -> None:
    """Python's own readers stand for the rest of the world."""
    command("queue", "export", tmp_path / "maildir", "--format", "maildir")
    command("queue", "export", tmp_path / "mbox", "--format", "mbox")
    boxes = (Maildir(tmp_path / "maildir", create=False), mbox(tmp_path / "mbox", create=False))
    for box in boxes:
        found = {message["Subject"]: message for message in box}
        assert set(found) >= {"quoting", "octets", "large", "a report"}
        assert found["quoting"]["Return-Path"] == "<a@sender.example>"
        assert found["quoting"].get_all("X-Envelope-To") == [
            "<x@alpha.example>",
            "<y@Alpha.example>",
        ]
        assert found["a report"]["Return-Path"] == "<>"
        assert str(found["large"].get_payload()).count("From a large message\n") in (
            0,
            20_000,
        )  # mbox shows its quoting
        box.close()
    eml = next(file for file in (tmp_path / "source").glob("2.eml"))
    assert message_from_bytes(eml.read_bytes(), policy=default)["Subject"] == "large"


def test_copies_are_for_their_owner_only(
    held: list[dict[str, Any]], command: Command, tmp_path: Path
) -> None:
    for style in ("eml", "maildir", "mbox"):
        command("queue", "export", tmp_path / style, "--format", style)
    made = [
        path
        for style in ("eml", "maildir", "mbox")
        for path in [tmp_path / style, *(tmp_path / style).rglob("*")]
    ]
    assert len(made) > 15
    assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in made} == {0}


@pytest.mark.parametrize("style", ["eml", "maildir", "mbox"])
def test_nothing_is_overwritten(
    held: list[dict[str, Any]], command: Command, tmp_path: Path, style: str
) -> None:
    place = tmp_path / "out"
    assert command("queue", "export", place, "--format", style).code == 0
    before = {path: path.read_bytes() for path in [place, *place.rglob("*")] if path.is_file()}
    refused = command("queue", "export", place, "--format", style)
    assert refused.code == 73
    assert "nothing is overwritten" in refused.err
    assert {
        path: path.read_bytes() for path in [place, *place.rglob("*")] if path.is_file()
    } == before
    assert (
        command("queue", "export", tmp_path / "no" / "such" / "place", "--format", style).code == 73
    )


def test_an_export_is_of_what_matches(
    held: list[dict[str, Any]], command: Command, tmp_path: Path
) -> None:
    for place, filters, expected in (
        ("null", ["--reverse-path", "<>"], 1),
        ("large", ["--larger", "100K"], 1),
        ("nobody", ["--recipient", "nobody@*"], 0),
    ):
        exported = command("queue", "export", tmp_path / place, *filters, "--json")
        assert (exported.code, json.loads(exported.out)["messages"]) == (0, expected)
        assert len(list((tmp_path / place).glob("*.eml"))) == expected


def test_damaged_mail_is_named_and_left_out(
    installation: Path, held: list[dict[str, Any]], command: Command, tmp_path: Path
) -> None:
    [file] = [
        path
        for path in (installation / "data").rglob("*")
        if path.is_file() and re.fullmatch("[0-9a-f]{32}", path.name)
    ]
    flip_a_bit(file)
    for style in ("eml", "maildir", "mbox"):
        exported = command("queue", "export", tmp_path / style, "--format", style, "--json")
        assert exported.code == 65
        tally = json.loads(exported.out)
        assert (tally["messages"], len(tally["damaged"])) == (5, 1)
        assert tally["damaged"][0] in exported.err
        assert not [
            path
            for path in tmp_path.rglob("*")
            if path.name.endswith(".part") or path.parent.name == "tmp"
        ]
    again = command("queue", "import", tmp_path / "mbox")
    assert again.out == "0 messages, 0 B, are held; 5 were held already\n"
