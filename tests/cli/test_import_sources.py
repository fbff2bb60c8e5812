"""Mail found for an import: in files, directories, Maildirs, mboxes and output of postcat."""

import json
from pathlib import Path
from typing import Any

import pytest

from restante.cli.export_formats import ENVELOPES
from restante.cli.import_sources import SourceFormat, SourceMessage, UnreadableFile, source_messages

FACTS: dict[str, Any] = {
    "reverse_path": "",
    "recipients": [{"forward_path": "anna@alpha.example"}],
    "received_at": "2026-11-28T03:00:00+00:00",
    "needs_smtputf8": True,
    "is_suspect": True,
}


def found(*paths: Path, style: SourceFormat | None = None) -> list[SourceMessage]:
    """The messages, all of which are readable."""
    seen = list(source_messages(paths, style))
    unreadable = [one for one in seen if isinstance(one, UnreadableFile)]
    assert unreadable == []
    return [one for one in seen if isinstance(one, SourceMessage)]


def texts(some: list[SourceMessage]) -> list[bytes]:
    """Their contents."""
    return [b"".join(one.content.blocks()) for one in some]


def complaints(*paths: Path, style: SourceFormat | None = None) -> list[str]:
    """The errors of unreadable files."""
    return [one.error for one in source_messages(paths, style) if isinstance(one, UnreadableFile)]


def test_a_bare_file_is_a_message_without_an_envelope(tmp_path: Path) -> None:
    (tmp_path / "one.eml").write_bytes(b"Subject: x\n\ntext\n")
    [message] = found(tmp_path / "one.eml")
    assert (message.reverse_path, message.forward_paths) == (None, ())
    assert texts([message]) == [b"Subject: x\r\n\r\ntext\r\n"]


def test_the_side_file_of_an_export_is_believed_before_the_fields(tmp_path: Path) -> None:
    content = b"Return-Path: <other@example.org>\nSubject: x\n\ntext\n"
    (tmp_path / "one.eml").write_bytes(content)
    (tmp_path / "one.json").write_text(json.dumps(FACTS))
    [message] = found(tmp_path)
    assert (message.reverse_path, message.forward_paths) == ("", ("anna@alpha.example",))
    assert (message.needs_smtputf8, message.is_suspect, message.is_delay_told) == (
        True,
        True,
        False,
    )
    assert texts([message])[0].startswith(b"Return-Path:")  # it is part of the held content


def test_fields_say_nothing_of_reports(tmp_path: Path) -> None:
    (tmp_path / "one.eml").write_bytes(
        b"Return-Path: <bob@example.org>\nDelivered-To: anna@alpha.example\nX-Notify: NEVER\n\n"
    )
    [message] = found(tmp_path / "one.eml")
    assert (message.reverse_path, message.forward_paths, message.dsn, message.is_delay_told) == (
        "bob@example.org",
        ("anna@alpha.example",),
        None,
        False,
    )


def test_a_directory_is_read_by_name_without_hidden_and_side_files(tmp_path: Path) -> None:
    for name in ("b.eml", "a", ".part", "c.json"):
        (tmp_path / name).write_bytes(name.encode() + b"\n")
    (tmp_path / "deeper").mkdir()
    assert texts(found(tmp_path)) == [b"a\r\n", b"b.eml\r\n"]


def test_a_maildir_is_read_with_its_envelopes(tmp_path: Path) -> None:
    for name in ("cur", "new", "tmp"):
        (tmp_path / name).mkdir()
    (tmp_path / "new" / "2.x").write_bytes(b"second\n")
    (tmp_path / "cur" / "1.x:2,S").write_bytes(b"first\n")
    (tmp_path / "tmp" / "3.x").write_bytes(b"not whole\n")
    (tmp_path / ENVELOPES).write_text(json.dumps({"file": "1.x", **FACTS}) + "\n")
    some = found(tmp_path)
    assert texts(some) == [b"first\r\n", b"second\r\n"]
    assert [one.reverse_path for one in some] == ["", None]


MBOX = b"From bob@example.org Sat Nov 28 03:00:00 2026\none\n\nFrom MAILER-DAEMON x\n>From two\n\n"


def test_an_mbox_is_read_message_by_message(tmp_path: Path) -> None:
    (tmp_path / "box").write_bytes(MBOX)
    some = found(tmp_path / "box")
    assert texts(some) == [b"one\r\n", b"From two\r\n"]
    assert [one.reverse_path for one in some] == ["bob@example.org", ""]
    assert [one.place for one in some] == [f"{tmp_path}/box, message {number}" for number in (1, 2)]


@pytest.mark.parametrize(("envelopes", "is_believed"), [(1, False), (2, True), (3, False)])
def test_envelopes_of_an_mbox_are_believed_if_there_is_one_for_each(
    tmp_path: Path, envelopes: int, is_believed: bool
) -> None:
    (tmp_path / "box").write_bytes(MBOX)
    (tmp_path / f"box.{ENVELOPES}").write_text(f"{json.dumps(FACTS)}\n" * envelopes)
    paths = [one.forward_paths for one in found(tmp_path / "box")]
    assert paths == [("anna@alpha.example",) if is_believed else ()] * 2


def test_an_empty_mbox_has_no_messages(tmp_path: Path) -> None:
    (tmp_path / "box").touch()
    assert found(tmp_path / "box", style="mbox") == []


@pytest.mark.parametrize(
    ("name", "content", "side", "style", "complaint"),
    [
        ("missing", None, None, None, "No such file"),
        ("box", b"Subject: x\n\n", None, "mbox", "is not an mbox"),
        ("one.eml", b"x\n", "{", None, "one.json: was not written by an export"),
        ("one.eml", b"x\n", "{}", None, "was not written by an export"),
        ("one.eml", b"x\n", '{"reverse_path": 1, "recipients": 7}', None, "by an export"),
    ],
)
def test_a_file_that_holds_no_message_is_named_with_the_reason(
    tmp_path: Path,
    *,
    name: str,
    content: bytes | None,
    side: str | None,
    style: SourceFormat | None,
    complaint: str,
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    if side is not None:
        (tmp_path / "one.json").write_text(side)
    [error] = complaints(tmp_path / name, style=style)
    assert complaint in error


def test_one_bad_file_stops_no_other(tmp_path: Path) -> None:
    (tmp_path / "one.eml").write_bytes(b"x\n")
    (tmp_path / "one.json").write_text("[]")
    (tmp_path / "two.eml").write_bytes(b"y\n")
    seen = list(source_messages([tmp_path], None))
    assert [type(one) for one in seen] == [UnreadableFile, SourceMessage]


@pytest.mark.parametrize(
    ("line", "complaint", "others"),
    [
        ("{", "envelopes.jsonl, line 1: was not written by an export", []),
        ("[]", "envelopes.jsonl, line 1: was not written by an export", []),
        ('{"file": "1.x"}', "was not written by an export: it has no", [b"second\r\n"]),
    ],
)
def test_a_maildir_with_an_envelope_that_is_none_is_named(
    tmp_path: Path, line: str, complaint: str, others: list[bytes]
) -> None:
    for name in ("cur", "new"):
        (tmp_path / name).mkdir()
    (tmp_path / "new" / "1.x").write_bytes(b"first\n")
    (tmp_path / "new" / "2.x").write_bytes(b"second\n")
    (tmp_path / ENVELOPES).write_text(f"{line}\n")
    [error] = complaints(tmp_path)
    assert complaint in error
    assert (
        texts([one for one in source_messages([tmp_path], None) if isinstance(one, SourceMessage)])
        == others
    )


def test_a_maildir_without_one_of_its_directories_is_named(tmp_path: Path) -> None:
    (tmp_path / "cur").mkdir()
    [error] = complaints(tmp_path)
    assert "No such file" in error


def test_a_file_of_a_maildir_that_cannot_be_read_stops_no_other(tmp_path: Path) -> None:
    for name in ("cur", "new", "new/1.x"):
        (tmp_path / name).mkdir()
    (tmp_path / "new" / "2.x").write_bytes(b"second\n")
    assert complaints(tmp_path) == ["Is a directory"]
    assert texts(
        [one for one in source_messages([tmp_path], None) if isinstance(one, SourceMessage)]
    ) == [b"second\r\n"]
