import stat
from pathlib import Path

import pytest

from restante.config.init_files import AlreadyThere, initialize, own_name
from restante.mail.address import canonical_domain
from tests.config.files import NOW, installed


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_secrets_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    installed(tmp_path)
    assert mode(tmp_path / "restante.key") == 0o600
    assert mode(tmp_path / "tls" / "key.pem") == mode(tmp_path / "tls" / "key-rsa.pem") == 0o600
    assert mode(tmp_path / "data") == 0o700
    assert len((tmp_path / "restante.key").read_bytes()) == 32


def test_a_second_time_nothing_is_changed(tmp_path: Path) -> None:
    installed(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(AlreadyThere) as caught:
        initialize(tmp_path, "other.example", NOW)
    assert tmp_path / "restante.toml" in caught.value.existing
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_one_file_that_is_there_is_enough_to_make_none(tmp_path: Path) -> None:
    (tmp_path / "restante.key").write_bytes(b"precious")
    with pytest.raises(AlreadyThere):
        initialize(tmp_path, "mx2.example.net", NOW)
    assert [path.name for path in tmp_path.iterdir()] == ["restante.key"]


def test_files_made_before_a_failure_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, directory = Path.write_bytes, tmp_path / "new"

    def fail_at_last(path: Path, content: bytes) -> int:
        if path.suffix == ".toml":
            raise OSError(28, "No space left on device", str(path))
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", fail_at_last)
    with pytest.raises(OSError, match="No space"):
        initialize(directory, "mx2.example.net", NOW)
    assert not directory.exists()


def test_our_own_name_is_always_a_domain_name() -> None:
    assert canonical_domain(own_name())
