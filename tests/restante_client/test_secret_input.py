"""Passwords and tokens, from each place."""

from io import StringIO
from pathlib import Path

import pytest

from restante_client.client_failure import ClientFailure
from restante_client.secret_input import read_secret


def test_the_first_line_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "secret"
    file.write_text("pass wörd \r\nmore\n", encoding="utf-8")
    assert read_secret(str(file)) == "pass wörd "
    monkeypatch.setattr("sys.stdin", StringIO("from stdin\nmore"))
    assert read_secret("-") == "from stdin"
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert read_secret("credential:secret") == "pass wörd "
    assert read_secret("credential:../../secret") == "pass wörd "  # a name, and never a path


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"\nsecond", "its first line is empty"), (b"\xff\xfe", "is not UTF-8 text")],
)
def test_what_is_no_secret(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(ClientFailure, match=told):
        read_secret(str(tmp_path / "file"))


def test_a_place_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ClientFailure, match="No such file"):
        read_secret("/nowhere/secret")
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with pytest.raises(ClientFailure, match="set LoadCredential="):
        read_secret("credential:password")
