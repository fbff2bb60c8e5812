"""The released files: they work in an empty environment, and a second build is equal."""

import os
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

from restante import __version__
from tests.acceptance.peers.programs import require
from tools.build_dist import LOCK, SUMS, build
from tools.commit_time import TOP

Ended = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("dist")
    build(directory)
    return directory


@pytest.fixture(scope="module")
def environment(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel, and its dependencies from ours: tests have no network.

    A .pth file adds the directory of our packages, but not the checkout, which another one adds.
    """
    place = tmp_path_factory.mktemp("installed") / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)
    [packages] = place.glob("lib/python3*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python"]
    words = ["install", "--quiet", "--no-deps", "--no-index", "--no-compile"]
    subprocess.run([*pip, place / "bin/python", *words, wheel_of(built)], check=True)
    return place


def wheel_of(built: Path) -> Path:
    [wheel] = built.glob("*.whl")
    return wheel


def run(environment: Path, *words: str | Path, cwd: Path | str = "/") -> Ended:
    return subprocess.run(
        [environment / "bin/restante", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=cwd,
        env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
    )


def test_the_installed_program_makes_a_configuration_that_it_accepts(
    environment: Path, tmp_path: Path
) -> None:
    assert run(environment, "version").stdout == f"restante {__version__}\n"
    assert "Commands for held mail:" in run(environment, "--help").stdout
    made = run(environment, "init", "--dir", tmp_path / "made", "--hostname", "mx2.example.net")
    assert (made.returncode, made.stderr) == (0, "")
    checked = run(environment, "config", "check", "--config", tmp_path / "made/restante.toml")
    assert checked.returncode == 0
    assert all(line.startswith("restante: warning: ") for line in checked.stderr.splitlines())


def test_what_runs_is_the_wheel_and_not_the_checkout(environment: Path) -> None:
    code = "import restante, restante_client; print(restante.__file__, restante_client.__file__)"
    done = subprocess.run(
        [environment / "bin/python", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd="/",
    )
    assert all(path.startswith(str(environment)) for path in done.stdout.split())


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("restante.service", "contrib/systemd/restante.service"),
        ("alerts.yml", "contrib/prometheus/alerts.yml"),
        ("restante.json", "contrib/grafana/restante.json"),
        ("_restante", "src/restante/cli/shell/restante.zsh"),
        ("restante.fish", "src/restante/cli/shell/restante.fish"),
        ("restante", "src/restante/cli/shell/restante.bash"),
    ],
)
def test_the_program_tells_where_each_file_is(environment: Path, name: str, source: str) -> None:
    found = run(environment, "files", name)
    assert Path(found.stdout.rstrip("\n")).read_bytes() == (TOP / source).read_bytes()


def test_the_scripts_for_shells_are_in_the_wheel_too(environment: Path) -> None:
    script = (TOP / "src/restante/cli/shell/restante.bash").read_text()
    assert run(environment, "completion", "bash").stdout == script


def test_man_finds_the_pages_by_the_path_of_programs(environment: Path) -> None:
    for name in ("restante", "restante-queue-list"):
        found = subprocess.run(
            [require("man"), "--where", name],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
            env={"PATH": f"{environment}/bin:/usr/bin:/bin"},
        )
        assert found.stdout == f"{environment}/share/man/man1/{name}.1\n"


def test_the_same_commit_gives_the_same_octets(built: Path, tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        build(tmp_path / "again")
    finally:
        os.umask(before)
    assert (tmp_path / "again" / SUMS).read_text() == (built / SUMS).read_text()
    for line in (built / SUMS).read_text().splitlines():
        assert (built / line.split("  ")[1]).is_file()


def test_the_source_distribution_has_the_pins_and_the_man_pages(built: Path) -> None:
    top = f"restante-{__version__}"
    with tarfile.open(built / f"{top}.tar.gz") as archive:
        names = set(archive.getnames())
    for name in (LOCK, "hatch_build.py", "LICENSE", "man/restante.1", "tests/conftest.py"):
        assert f"{top}/{name}" in names
    assert (built / LOCK).read_bytes() == (TOP / LOCK).read_bytes()


def test_the_wheel_has_nothing_that_only_developers_need(built: Path) -> None:
    with zipfile.ZipFile(wheel_of(built)) as wheel:
        tops = {name.split("/")[0] for name in wheel.namelist()}
    release = f"restante-{__version__}"
    assert tops == {
        "restante",
        "restante_client",
        f"{release}.data",
        f"{release}.dist-info",
    }
