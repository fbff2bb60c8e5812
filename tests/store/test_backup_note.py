"""The note in a copy of the store."""

from pathlib import Path

from restante.store.backup_note import NOTE, note_text, write_note


def test_it_names_the_time_and_the_key_file(tmp_path: Path) -> None:
    write_note(tmp_path, note_text("abcd1234", 1_700_000_000.0))
    note = tmp_path / NOTE
    assert note.read_text().splitlines()[:3] == [
        "A copy of the store of a Restante server.",
        "made: 2023-11-14T22:13:20Z",
        "key file: abcd1234",
    ]
    assert note.stat().st_mode & 0o777 == 0o600
