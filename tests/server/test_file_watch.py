"""The configuration file is compared with the one that was read, whenever somebody asks."""

import asyncio
import os
from pathlib import Path

import pytest

from restante.admin.configuration_state import ConfigurationState
from restante.config.key_copy import confirm_copy
from restante.config.load import load
from restante.config.schema import Config
from restante.server import file_watch
from restante.server.file_watch import FileWatch
from tests.config.files import installed

STATE = ConfigurationState(5.0)


class Scene:
    def __init__(self, directory: Path) -> None:
        self.path = installed(directory)
        self.text = self.path.read_text()
        self.read = load(self.path, {})
        self.watch = FileWatch(self.path)

    def now(self, state: ConfigurationState = STATE) -> ConfigurationState:
        return asyncio.run(self.watch.add_to(state, self.read, self.read))


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    scene = Scene(tmp_path)
    confirm_copy(scene.read.key_file)
    return scene


def test_a_file_as_it_was_read_changes_nothing(scene: Scene) -> None:
    assert scene.now() == STATE
    scene.path.write_text(f"# a remark\n{scene.text}")
    assert scene.now() == STATE


def test_an_edit_is_told_before_any_reload(scene: Scene) -> None:
    scene.path.write_text(f'control_socket = "/elsewhere"\n{scene.text}[delivery]\npatience = 7\n')
    state = scene.now()
    assert (state.restart_for, state.unread) == (("control_socket",), ("delivery",))
    scene.path.write_text(scene.text)
    assert scene.now() == STATE


def test_a_key_file_without_a_confirmed_copy_is_told_until_there_is_one(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.read.key_file.with_name("restante.key.copied").unlink()
    [warning] = scene.now().warnings
    assert "no copy of it was confirmed" in warning
    confirm_copy(scene.read.key_file)
    assert scene.now() == STATE


def test_a_mistake_is_told_with_its_line(scene: Scene) -> None:
    scene.path.write_text(f"{scene.text}nonsense = [")
    assert scene.now().file_error.startswith(f"{scene.path}:")


def test_a_file_that_is_gone_is_told(scene: Scene) -> None:
    scene.path.unlink()
    assert str(scene.path) in scene.now().file_error


def test_the_findings_of_the_last_reload_stay(scene: Scene) -> None:
    state = ConfigurationState(
        5.0, restart_for=("hostname", "key_file", "listen mx 0.0.0.0:25"), warnings=("a name",)
    )
    told = scene.now(state)
    assert told.restart_for == ("key_file", "listen mx 0.0.0.0:25")
    assert told.warnings == state.warnings


def test_of_a_file_that_may_not_be_read_the_fact_of_a_change_is_told(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server has dropped its privileges, and the file is root's."""
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert scene.now() == STATE
    scene.path.write_text("nonsense = [")
    assert scene.now().is_file_changed


def test_it_is_told_that_edits_in_a_closed_directory_cannot_be_seen(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(_path: Path, **_: object) -> os.stat_result:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "stat", refusing)
    assert scene.now().unseen == f"{scene.path}: Permission denied"


def test_a_server_without_a_file_has_nothing_to_compare(scene: Scene) -> None:
    assert asyncio.run(FileWatch(None).add_to(STATE, scene.read, scene.read)) == STATE


def test_it_is_parsed_once_for_each_change(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed = []

    def noting(file: Path) -> Config:
        parsed.append(file)
        return load(file)

    monkeypatch.setattr(file_watch, "load", noting)
    for _ in range(3):
        scene.now()
    scene.path.write_text(f"# longer\n{scene.text}")
    scene.now()
    assert len(parsed) == 2
