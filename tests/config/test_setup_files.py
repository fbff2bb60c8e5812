"""The files of a setup: missing ones are made, and none that is there is replaced."""

import os
import stat
from pathlib import Path

import pytest

from restante.config.certificate import public_key_of, read_certificate, read_public_key
from restante.config.config_template import ConfigChoices
from restante.config.load import load
from restante.config.setup_files import (
    OWN_PAIR,
    SetupFiles,
    complete_files,
    has_store,
    present_files,
    put_file,
)
from tests.config.files import NOW

NAMES = ("tls/key.pem", "tls/cert.pem", "tls/key-rsa.pem", "tls/cert-rsa.pem", "tls/trust.pem")


def files_in(directory: Path) -> SetupFiles:
    return SetupFiles(directory, directory / "data", ConfigChoices("mx2.example.net"))


def contents(directory: Path) -> dict[str, bytes]:
    found = (path for path in directory.rglob("*") if path.is_file())
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in found}


def assert_whole(directory: Path) -> None:
    config = load(directory / "restante.toml", {})
    for certificate, key in config.tls.pairs:
        pair = read_certificate(certificate.read_bytes()), read_public_key(key.read_bytes())
        assert public_key_of(pair[0]) == pair[1]
    trust = (directory / "tls/trust.pem").read_bytes()
    assert trust == b"".join(one.read_bytes() for one in config.tls.certificate)
    assert not list(directory.rglob("*.new"))


def test_everything_is_made_once(tmp_path: Path) -> None:
    files = files_in(tmp_path / "new")
    made = complete_files(files, NOW)
    assert files.config in made
    assert_whole(files.directory)
    assert stat.S_IMODE(files.key_file.stat().st_mode) == 0o600
    assert stat.S_IMODE((files.directory / "tls/key-rsa.pem").stat().st_mode) == 0o600
    assert stat.S_IMODE(files.store.stat().st_mode) == 0o700
    before = contents(files.directory)
    assert complete_files(files, NOW) == []
    assert contents(files.directory) == before


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("point", range(7))
def test_a_run_that_is_killed_at_any_file_is_completed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: int, *, after: bool
) -> None:
    link, left = os.link, [point]

    def killed(draft: Path, place: Path) -> None:
        if after or left[0]:
            link(draft, place)
        if not left[0]:
            raise Killed
        left[0] -= 1

    with monkeypatch.context() as patched:
        patched.setattr(os, "link", killed)
        with pytest.raises(Killed):
            complete_files(files_in(tmp_path), NOW)
    before = contents(tmp_path)
    assert (point, after) == (6, True) or not (tmp_path / "restante.toml").exists()
    complete_files(files_in(tmp_path), NOW)
    assert_whole(tmp_path)
    assert contents(tmp_path).items() >= before.items(), "a file was replaced"


def test_a_draft_of_a_killed_run_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "restante.key.new").write_bytes(b"half")
    complete_files(files_in(tmp_path), NOW)
    assert_whole(tmp_path)
    assert len((tmp_path / "restante.key").read_bytes()) == 32


def test_a_name_that_is_taken_meanwhile_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = os.link

    def second(draft: Path, place: Path) -> None:
        place.write_bytes(b"quicker")
        link(draft, place)

    monkeypatch.setattr(os, "link", second)
    assert not put_file(tmp_path / "file", b"slower", 0o600)
    assert (tmp_path / "file").read_bytes() == b"quicker"


def test_a_link_that_leads_nowhere_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    assert not put_file(tmp_path / "link", b"secret", 0o600)
    assert not (tmp_path / "elsewhere").exists()


def test_a_certificate_of_an_authority_is_copied(tmp_path: Path) -> None:
    source = tmp_path / "source"
    complete_files(files_in(source), NOW)
    pair = (source / "tls/cert-rsa.pem", source / "tls/key-rsa.pem")
    choices = ConfigChoices("mx2.example.net", certificates=OWN_PAIR)
    directory = tmp_path / "new"
    complete_files(SetupFiles(directory, directory / "data", choices, pair), NOW)
    assert (directory / "tls/cert.pem").read_bytes() == pair[0].read_bytes()
    assert (directory / "tls/key.pem").read_bytes() == pair[1].read_bytes()
    assert not (directory / "tls/cert-rsa.pem").exists()
    assert load(directory / "restante.toml", {}).tls.pairs == (
        (directory / "tls/cert.pem", directory / "tls/key.pem"),
    )


def test_what_another_installation_has_is_found(tmp_path: Path) -> None:
    store = tmp_path / "data"
    assert present_files(tmp_path, store) == []
    store.mkdir()
    assert present_files(tmp_path, store) == []
    assert not has_store(store)
    (store / "restante.db").touch()
    (tmp_path / "restante.key").symlink_to("/nowhere")
    assert present_files(tmp_path, store) == [tmp_path / "restante.key", store]
    assert has_store(store)
