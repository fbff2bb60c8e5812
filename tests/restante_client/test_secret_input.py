"""Passwords and tokens, from each place."""

from io import StringIO
from pathlib import Path

import pytest

from restante_client.client_failure import ClientFailure
from restante_client.client_output import ClientOutput
from restante_client.secret_input import public_file, read_secret


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


def test_a_file_that_all_can_read_is_told_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "password"
    file.write_text("secret")
    output = ClientOutput()
    for mode, expected in ((0o640, ""), (0o644, str(file)), (0o604, str(file))):
        file.chmod(mode)
        assert public_file(str(file)) == expected
        output.warn_of(public_file(str(file)))
    for place in (None, "-", "credential:x", str(tmp_path), "/no/such/file", "/dev/null"):
        assert public_file(place) == ""
    warned = f"restante-client: warning: {file}: all users of this machine can read it; chmod 600\n"
    assert capsys.readouterr().err == warned
