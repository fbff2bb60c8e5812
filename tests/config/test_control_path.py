"""The control socket is found even in a configuration with mistakes."""

from pathlib import Path

import pytest

from restante.config.control_path import likely_control_socket


@pytest.mark.parametrize(
    ("text", "socket"),
    [
        ('store = "sqlite:data"', "data/control.sock"),
        ('store = "sqlite:///var/lib/x"', "/var/lib/x/control.sock"),
        ('control_socket = "c.sock"\nstore = "sqlite:data"', "c.sock"),
        ('control_socket = "/run/c.sock"', "/run/c.sock"),
        ("control_socket = 7\nstore = 'sqlite:data'", "data/control.sock"),
        ("hostname = broken\n  store='sqlite:data' # not TOML", "data/control.sock"),
        ('[tls\ncontrol_socket = "c.sock"', "c.sock"),
        ('store = "postgresql://h/d"', "/var/lib/restante/control.sock"),
        ('store = "postgres://h/d"\nstate_dir = "s"', "s/control.sock"),
        ("[tls\nstore='postgresql://h/d'\nstate_dir='/s'", "/s/control.sock"),
        ('store = "postgresql://h/d"\ncontrol_socket = "c.sock"', "c.sock"),
        ('hostname = "x"', None),
        ("", None),
        ("\ufffd = [", None),
    ],
)
def test_the_socket_is_beside_the_store_or_as_named(
    tmp_path: Path, text: str, socket: str | None
) -> None:
    file = tmp_path / "restante.toml"
    file.write_text(text)
    assert likely_control_socket(file, {}) == (tmp_path / socket if socket else None)


def test_a_file_of_other_octets_is_searched_too(tmp_path: Path) -> None:
    file = tmp_path / "restante.toml"
    file.write_bytes(b'# \xff\nstore = "sqlite:data"\n')
    assert likely_control_socket(file, {}) == tmp_path / "data" / "control.sock"


@pytest.mark.parametrize(
    ("environ", "socket"),
    [
        ({"RESTANTE_STORE": "sqlite:other"}, "other/control.sock"),
        ({"RESTANTE_STORE": "postgresql://h/d", "RESTANTE_STATE_DIR": "s"}, "s/control.sock"),
        ({"RESTANTE_CONTROL_SOCKET": "c.sock"}, "c.sock"),
        ({"RESTANTE_CONTROL_SOCKET": ""}, "data/control.sock"),
    ],
)
def test_the_environment_wins(tmp_path: Path, environ: dict[str, str], socket: str) -> None:
    file = tmp_path / "restante.toml"
    file.write_text('store = "sqlite:data"')
    assert likely_control_socket(file, environ) == tmp_path / socket


def test_without_a_file_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("restante.config.config_file_search.SEARCHED", (Path("restante.toml"),))
    assert likely_control_socket(None, {}) is None
    assert likely_control_socket(tmp_path / "none.toml", {}) is None
    assert likely_control_socket(tmp_path, {}) is None


def test_a_socket_in_the_environment_needs_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for socket in ("c.sock", str(tmp_path / "c.sock")):
        environ = {"RESTANTE_CONTROL_SOCKET": socket, "RESTANTE_CONFIG": "/nonexistent.toml"}
        assert likely_control_socket(None, environ) == tmp_path / "c.sock"


def test_a_relative_socket_is_found_here_if_it_is_not_beside_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "restante.toml"
    file.write_text("")
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    environ = {"RESTANTE_CONTROL_SOCKET": "c.sock"}
    assert likely_control_socket(file, environ) == tmp_path / "c.sock"
    (here / "c.sock").touch()
    assert likely_control_socket(file, environ) == here / "c.sock"
