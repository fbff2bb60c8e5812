"""The client as a single file and as a wheel, from the same source."""

from __future__ import annotations

import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.restante_client.test_client_package import interpreters, modules
from tools import build_client
from tools.build_client import build_wheel, build_zipapp


@pytest.fixture(scope="module")
def zipapp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_zipapp(tmp_path_factory.mktemp("client"))


@pytest.mark.parametrize("python", interpreters(), ids=lambda path: path[-40:])
def test_every_python_of_this_machine_runs_the_single_file(zipapp: Path, python: str) -> None:
    ended = subprocess.run(
        [python, "-I", zipapp, "turn", "127.0.0.1:1", "--login", "a", "--password-file", "-"],
        input="",
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stderr == (
        "restante-client: -: its first line is empty; write the password or token there\n"
    )
    assert ended.returncode == 64


def test_the_single_file_is_a_program(zipapp: Path) -> None:
    ended = subprocess.run(
        [zipapp, "--version"],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout.startswith("restante-client 0.")


def test_the_same_files_give_the_same_octets_wherever_they_are(
    zipapp: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = shutil.copytree(
        build_client.PACKAGE, tmp_path / build_client.PACKAGE.name, copy_function=shutil.copyfile
    )
    monkeypatch.setattr(build_client, "PACKAGE", copied)
    assert build_zipapp(tmp_path).read_bytes() == zipapp.read_bytes()


def test_the_wheel_has_the_package_and_nothing_to_install_with_it(tmp_path: Path) -> None:
    with zipfile.ZipFile(build_wheel(tmp_path)) as wheel:
        names = wheel.namelist()
        [place] = [name for name in names if name.endswith("/METADATA")]
        metadata = wheel.read(place).decode()
    packed = {name.rpartition("/")[2] for name in names if name.startswith("restante_client/")}
    assert packed == {path.name for path in modules()} | {"py.typed"}
    assert "Requires-Python: >=3.8\n" in metadata
    assert "Requires-Dist" not in metadata
