"""The parts of the Debian package. `make packages-test` installs it in clean trees."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from restante import __version__
from restante.config.load import load_with_warnings
from tests.documents.command_check import complaint
from tools.build_deb import (
    PACKAGING,
    PLACE,
    WrongPythonError,
    arrange,
    changelog,
    debian_python,
    mend_records,
    unit_of,
)
from tools.commit_time import TOP

SCRIPTS = sorted(path.name for path in PACKAGING.glob("restante.p*[tm]"))
README = (PACKAGING / "README.Debian").read_text()


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """A small environment, as pip leaves it."""
    packages = tmp_path / "lib/python3.11/site-packages/restante.dist-info"
    packages.mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    (tmp_path / "share").mkdir()
    (tmp_path / "bin/restante").write_text(f"#!{tmp_path}/bin/python\nimport sys\n")
    (tmp_path / "bin/uvicorn").write_text(f"#!{tmp_path}/bin/python\n")
    (tmp_path / "bin/python3").symlink_to("/usr/bin/python3")
    (tmp_path / "pyvenv.cfg").write_text(f"home = /usr/bin\ncommand = python -m venv {tmp_path}\n")
    (tmp_path / "share/unit").symlink_to("/lib/unit")
    names = ("../../../bin/restante", "../../../bin/uvicorn", "../../../share/unit")
    lines = [f"{name},sha256=abc,20\n" for name in (*names, "restante.dist-info/RECORD")]
    (packages / "RECORD").write_text("".join(lines))
    return tmp_path


def test_programs_start_the_interpreter_of_the_place_where_they_will_be(environment: Path) -> None:
    arrange(environment)
    assert sorted(path.name for path in environment.glob("bin/*")) == ["python3", "restante"]
    program = (environment / "bin/restante").read_text()
    assert program == f"#!{PLACE}/bin/python3\nimport sys\n"
    assert (environment / "pyvenv.cfg").read_text() == "home = /usr/bin\n"


def test_records_name_only_what_is_there_and_no_checksum_that_varies(environment: Path) -> None:
    arrange(environment)
    mend_records(environment)
    [record] = environment.glob("lib/python3.11/site-packages/*/RECORD")
    assert record.read_text() == (
        "../../../bin/restante,,\n../../../share/unit,,\nrestante.dist-info/RECORD,sha256=abc,20\n"
    )


def test_the_unit_starts_the_program_of_the_package_once_there_is_a_configuration() -> None:
    unit = unit_of((TOP / "contrib/systemd/restante.service").read_text())
    assert "ExecStart=/usr/bin/restante --config /etc/restante/restante.toml serve\n" in unit
    assert "[Unit]\nConditionPathExists=/etc/restante/restante.toml\n" in unit
    assert "/opt/" not in unit


def test_the_changelog_has_the_version_and_the_release() -> None:
    text = changelog(1_796_000_000, "deb12")
    assert text.startswith(f"restante ({__version__}-1+deb12) unstable; urgency=medium\n")
    assert text.endswith(">  Mon, 30 Nov 2026 00:53:20 +0000\n")


def test_another_python_than_that_of_debian_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "base_prefix", "/opt/python")
    with pytest.raises(WrongPythonError, match="make deb PYTHON=/usr/bin/python3"):
        debian_python()


def test_the_example_is_a_configuration_without_a_warning() -> None:
    config, warnings = load_with_warnings(PACKAGING / "restante.toml", {})
    assert warnings == []
    assert config.user == "restante"


@pytest.mark.parametrize("name", ["restante.config", *SCRIPTS])
def test_each_script_of_the_maintainer_is_one(name: str) -> None:
    text = (PACKAGING / name).read_text()
    assert text.startswith("#!/bin/sh\nset -e\n")
    assert name == "restante.config" or "\n#DEBHELPER#\n" in text
    subprocess.run(["/bin/sh", "-n", PACKAGING / name], check=True, timeout=60)


def test_there_are_scripts_for_installation_and_removal() -> None:
    assert SCRIPTS == ["restante.postinst", "restante.postrm", "restante.prerm"]


def test_nothing_is_erased_by_default() -> None:
    template = (PACKAGING / "restante.templates").read_text()
    assert "Template: restante/erase\nType: boolean\nDefault: false\n" in template


def test_the_readme_has_commands_of_the_program_only() -> None:
    commands = re.findall(r"^ +(restante .+)$", README, re.MULTILINE)
    assert len(commands) > 1
    assert [complaint(shlex.split(command)) for command in commands] == [""] * len(commands)
