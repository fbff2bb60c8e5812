"""The files for other programs, as the metadata of the installation lists them."""

import json
from pathlib import Path

import pytest

from restante.cli import files_command
from restante.cli.files_command import shared_files
from tests.cli.conftest import Command


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package with files beside it, as pip records them."""
    site = tmp_path / "lib" / "site-packages"
    metadata = site / "restante-9.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: restante\nVersion: 9\n")
    listed = [
        "restante/share/__init__.py",
        "../../bin/restante",
        "../../share/restante/restante.service",
        "../../share/man/man1/restante.1",
        "../../share/man/man1/restante-queue.1",
    ]
    for name in listed:
        place = site / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    listed.append("../../share/restante/alerts.yml")  # removed since
    (metadata / "RECORD").write_text("".join(f"{name},,\n" for name in listed))
    monkeypatch.syspath_prepend(site)
    return tmp_path / "share"


def test_present_files_beside_the_modules_are_listed_and_one_man_page(installed: Path) -> None:
    assert shared_files("restante") == [
        installed / "man/man1/restante.1",
        installed / "restante/restante.service",
    ]
    assert shared_files("a-package-that-is-not-installed") == []


def test_a_single_file_is_a_path_for_cp(installed: Path, command: Command) -> None:
    found = command("files", "restante.service")
    assert (found.code, found.out) == (0, f"{installed}/restante/restante.service\n")
    listed = json.loads(command("files", "--json").out)
    assert len(listed) == 2


def test_a_file_that_is_not_there_is_an_error_with_a_remedy(
    installed: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = command("files", "restante.conf")
    assert (ended.code, "`restante files` lists them" in ended.err) == (66, True)
    monkeypatch.setattr(files_command, "shared_files", lambda _: [])
    assert "contrib/" in command("files").err
