"""Exported mail as files: whole or not at all, for the owner only, and nothing overwritten."""

import json
import mailbox
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from restante.cli.export_formats import ENVELOPES, ExportWriter, open_export
from restante.cli.failures import Exit, Failure

STYLES = ["eml", "maildir", "mbox"]
CONTENT = b"Subject: one\r\n\r\nFrom here\r\n>From there\r\n.\r\n"


def facts(name: str = "abc", reverse_path: str = "bob@example.org") -> dict[str, Any]:
    """The facts about a message, as the API gives them."""
    return {
        "name": name,
        "reverse_path": reverse_path,
        "recipients": [{"forward_path": "anna@alpha.example"}],
        "received_at": "2026-11-28T03:00:00+00:00",
    }


def export(writer: ExportWriter, *blocks: bytes, **about: str) -> None:
    """Write one message."""
    writer.begin(facts(**about))
    for block in blocks:
        writer.write(block)
    writer.end()


def files(place: Path) -> dict[str, bytes]:
    """The files at a place, by name."""
    found = [path for path in place.parent.rglob("*") if path.is_file()]
    return {path.relative_to(place.parent).as_posix(): path.read_bytes() for path in found}


def test_a_file_has_the_content_octet_for_octet_and_its_envelope_beside_it(tmp_path: Path) -> None:
    writer = open_export("eml", tmp_path / "x")
    export(writer, CONTENT[:7], CONTENT[7:])
    writer.close(is_complete=True)
    found = files(tmp_path / "x")
    assert found.keys() == {"x/abc.eml", "x/abc.json"}
    assert found["x/abc.eml"] == CONTENT
    assert json.loads(found["x/abc.json"]) == facts()


def test_a_maildir_has_the_envelope_in_fields_and_in_its_list(tmp_path: Path) -> None:
    writer = open_export("maildir", tmp_path / "x")
    export(writer, CONTENT)
    writer.close(is_complete=True)
    [message] = mailbox.Maildir(tmp_path / "x", create=False)
    assert message["Return-Path"] == "<bob@example.org>"
    assert message["X-Envelope-To"] == "<anna@alpha.example>"
    [line] = (tmp_path / "x" / ENVELOPES).read_text().splitlines()
    assert json.loads(line).items() >= facts().items()


def test_an_mbox_quotes_what_would_begin_a_message(tmp_path: Path) -> None:
    writer = open_export("mbox", tmp_path / "x")
    export(writer, CONTENT)
    export(writer, b"second\r\n", name="def", reverse_path="")
    writer.close(is_complete=True)
    text = (tmp_path / "x").read_bytes()
    assert b"\n>From here\n>>From there\n" in text
    assert text.count(b"\nFrom ") == 1
    assert b"\nFrom MAILER-DAEMON Sat Nov 28 03:00:00 2026\n" in text
    assert len((tmp_path / f"x.{ENVELOPES}").read_text().splitlines()) == 2


@pytest.mark.parametrize("style", ["maildir", "mbox"])
@pytest.mark.parametrize("cut", range(len(b"a\r\nb\r\r\nc\rd\r\n") + 1))
def test_line_ends_do_not_depend_on_where_blocks_end(tmp_path: Path, style: str, cut: int) -> None:
    content = b"a\r\nb\r\r\nc\rd\r\n"
    writer = open_export(style, tmp_path / "x")
    export(writer, content[:cut], content[cut:])
    writer.close(is_complete=True)
    [text] = [
        octets for octets in files(tmp_path / "x").values() if octets.find(b"Return-Path") >= 0
    ]
    assert b"a\nb\r\nc\rd\n" in text


@pytest.mark.parametrize("style", STYLES)
def test_a_message_that_is_dropped_leaves_the_others(tmp_path: Path, style: str) -> None:
    writer = open_export(style, tmp_path / "x")
    export(writer, b"first\r\n", name="one")
    writer.begin(facts("two"))
    writer.write(b"half of the second\r\n")
    writer.drop()
    export(writer, b"third\r\n", name="three")
    writer.close(is_complete=True)
    everything = b"".join(files(tmp_path / "x").values())
    assert b"half" not in everything
    assert (everything.count(b"first"), everything.count(b"third")) == (1, 1)


@pytest.mark.parametrize("style", STYLES)
def test_an_export_that_is_broken_off_leaves_no_half_message(tmp_path: Path, style: str) -> None:
    writer = open_export(style, tmp_path / "x")
    export(writer, b"first\r\n", name="one")
    writer.begin(facts("two"))
    writer.write(b"half of the second\r\n")
    writer.close(is_complete=False)
    assert b"half" not in b"".join(files(tmp_path / "x").values())
    assert not (style == "mbox" and (tmp_path / "x").exists())


@pytest.mark.parametrize("style", STYLES)
def test_only_the_owner_may_read_the_copies(tmp_path: Path, style: str) -> None:
    writer = open_export(style, tmp_path / "x")
    export(writer, CONTENT)
    writer.close(is_complete=True)
    for path in tmp_path.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


def filled(place: Path) -> None:
    """A directory with something in it."""
    place.mkdir()
    (place / "file").touch()


OBSTACLES: dict[str, Callable[[Path], object]] = {
    "there is something": filled,
    "there is a file": Path.touch,
}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_nothing_is_overwritten(tmp_path: Path, style: str, obstacle: str) -> None:
    OBSTACLES[obstacle](tmp_path / "x")
    before = files(tmp_path / "x")
    with pytest.raises(Failure, match="x") as caught:
        open_export(style, tmp_path / "x")
    assert caught.value.code is Exit.CANNOT_CREATE
    assert files(tmp_path / "x") == before


@pytest.mark.parametrize("style", STYLES)
def test_a_place_that_cannot_be_made_is_a_failure(tmp_path: Path, style: str) -> None:
    with pytest.raises(Failure) as caught:
        open_export(style, tmp_path / "missing" / "deep" / "x")
    assert caught.value.code is Exit.CANNOT_CREATE
