"""The command that asks for mail: its password, its words and its exit code."""

from pathlib import Path

from tests.cli.conftest import Command


def test_the_password_file_must_hold_one(command: Command, tmp_path: Path) -> None:
    asking = ("etrn", "127.0.0.1:1", "a.example", "--login", "p", "--password-file")
    (tmp_path / "empty").write_text("\nsecond")
    assert command(*asking, tmp_path / "empty").code == 64
    assert command(*asking, tmp_path / "none").code == 66
    assert command(*asking, "-").code == 64
