"""Certificates on the disk are compared with those that run, whenever somebody asks."""

import asyncio
import shutil
from pathlib import Path

import pytest

from restante.admin.configuration_state import ConfigurationState
from restante.config.load import load
from restante.config.renewal import renew
from restante.config.schema import Config
from restante.config.server_certificates import read_identity
from restante.server import identity_watch
from restante.server.identity_watch import IdentityWatch
from tests.config.files import NOW, installed

STATE = ConfigurationState(5.0)


class Scene:
    def __init__(self, directory: Path) -> None:
        self.tls = directory / "tls"
        self.config = load(installed(directory), {})
        self.identity = read_identity(self.config)
        self.watch = IdentityWatch()

    def now(self) -> ConfigurationState:
        return asyncio.run(self.watch.add_to(STATE, self.config, self.identity))

    def renew(self) -> None:
        renew(self.config, NOW + 86400)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_certificates_as_they_were_read_change_nothing(scene: Scene) -> None:
    (scene.tls / "cert.pem").touch()
    assert scene.now() == STATE


def test_a_renewed_certificate_waits_for_a_reload(scene: Scene) -> None:
    scene.renew()
    changed = tuple(str(scene.tls / name) for name in ("cert.pem", "cert-rsa.pem"))
    assert (scene.now().unread_certificates, scene.now().certificate_error) == (changed, "")
    scene.identity = read_identity(scene.config)
    assert scene.now() == STATE


def test_a_key_that_does_not_fit_is_told_before_a_reload_fails(scene: Scene) -> None:
    shutil.copyfile(scene.tls / "key-rsa.pem", scene.tls / "key.pem")
    state = scene.now()
    assert state.unread_certificates == (str(scene.tls / "key.pem"),)
    assert "cannot be used" in state.certificate_error


def test_a_file_that_is_gone_is_told(scene: Scene) -> None:
    (scene.tls / "cert.pem").unlink()
    assert "No such file" in scene.now().certificate_error


def test_changed_files_are_tried_once_for_each_change(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def noting(config: Config) -> None:
        tried.append(config)

    monkeypatch.setattr(identity_watch, "read_identity", noting)
    (scene.tls / "cert.pem").write_text("one")
    for _ in range(3):
        scene.now()
    (scene.tls / "cert.pem").write_text("another")
    scene.now()
    assert len(tried) == 2
