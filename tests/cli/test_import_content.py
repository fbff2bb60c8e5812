"""Content read for an import: normalized as in the store, whatever the file and its blocks."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.cli import import_content
from restante.cli.import_content import ContentStretch

MEMORY = Path("/dev/shm")


def read(path: Path, octets: bytes, **where: int | bool) -> bytes:
    """Write a file, and read a stretch of it."""
    path.write_bytes(octets)
    return b"".join(ContentStretch(path, **where).blocks())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("octets", "content"),
    [
        (b"", b""),
        (b"a\r\n", b"a\r\n"),
        (b"a\n", b"a\r\n"),
        (b"a", b"a\r\n"),
        (b"a\r", b"a\r\n"),
        (b"a\rb\nc\r\nd", b"a\r\nb\r\nc\r\nd\r\n"),
        (b"a\0b\r\n", b"ab\r\n"),
        (b"a\r\n\r\n", b"a\r\n\r\n"),
    ],
)
def test_line_ends_are_whole_and_nul_is_gone(tmp_path: Path, octets: bytes, content: bytes) -> None:
    assert read(tmp_path / "one.eml", octets) == content


@pytest.mark.parametrize(
    ("where", "content"),
    [
        ({"start": 2}, b"two\r\n3\r\n"),
        ({"start": 2, "end": 6}, b"two\r\n"),
        ({"start": 6, "end": 6}, b""),
        ({"skip": 3}, b"two\r\n3\r\n"),
        ({"skip": 100}, b""),
    ],
)
def test_a_stretch_is_a_part_of_its_file(
    tmp_path: Path, where: dict[str, int], content: bytes
) -> None:
    assert read(tmp_path / "mbox", b"1\ntwo\n3\n", **where) == content


def test_the_quoting_of_an_mbox_is_taken_off(tmp_path: Path) -> None:
    quoted = b">From here\n>>From there\n> From afar\n"
    assert read(tmp_path / "mbox", quoted, is_quoted=True) == (
        b"From here\r\n>From there\r\n> From afar\r\n"
    )
    assert read(tmp_path / "mbox", quoted).startswith(b">From here\r\n")


@given(octets=st.binary(max_size=60), block=st.integers(1, 7))
def test_content_does_not_depend_on_how_it_is_read(octets: bytes, block: int) -> None:
    path = MEMORY / "restante-import-content"
    try:
        whole = read(path, octets)
        with pytest.MonkeyPatch.context() as monkeypatch:
            monkeypatch.setattr(import_content, "BLOCK", block)
            assert read(path, octets) == whole
            measure = ContentStretch(path).measure()
    finally:
        path.unlink()
    assert whole == b"" or whole.endswith(b"\r\n")
    assert b"\0" not in whole
    assert whole.replace(b"\r\n", b"").count(b"\r") + whole.replace(b"\r\n", b"").count(b"\n") == 0
    assert measure == (len(whole), hashlib.sha256(whole).hexdigest(), not whole.isascii())


@pytest.mark.parametrize("paths", [0, 1, 3, 5_000])
def test_envelope_fields_above_are_read_and_are_no_content(tmp_path: Path, paths: int) -> None:
    """Also more of them than are looked for at first."""
    to = [f"user{number}@alpha.example" for number in range(paths)]
    fields = "".join(f"X-Envelope-To: <{path}>\n" for path in to)
    file = tmp_path / "one.eml"
    file.write_text(f"Return-Path: <bob@example.org>\n{fields}Subject: x\n\ntext\n")
    found, below = ContentStretch(file).below_fields()
    assert (found.reverse_path, list(found.forward_paths)) == ("bob@example.org", to)
    assert b"".join(below.blocks()) == b"Subject: x\r\n\r\ntext\r\n"


def test_a_file_that_is_gone_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        ContentStretch(tmp_path / "missing").measure()
