"""The Debian package in clean Debian trees, under a real systemd: from its installation to a purge.

`make packages-test` runs this; it takes some minutes. Held mail and keys must survive everything
but a purge that is told to erase them. For Debian 12 the package is built on this machine. For
Debian 13 it is built in a tree, by the commands of the guide. `check_release.py` compares two
builds.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from restante import __version__
from tests.documents.settings import as_toml, merge
from tests.packages.booted_tree import booted
from tests.packages.checkout_copy import PLACE as COPY
from tests.packages.checkout_copy import copy_checkout
from tests.packages.clean_tree import DEBIAN, PLACE, WHEELS, CleanTree, clean_tree, layer
from tools.build_deb import build_deb
from tools.commit_time import source_epoch

DEB: Final = "/root/restante.deb"
NEWER: Final = "/root/restante-newer.deb"
CONFIGURATION: Final = "/etc/restante/restante.toml"
# As the guide says.
BUILD_NEEDS: Final = "git python3-venv make debhelper build-essential"
# Brings a message, and prints the reply to its content.
SEND: Final = """
import smtplib
with smtplib.SMTP("127.0.0.1", 25) as server:
    server.ehlo("client.example.com")
    server.mail("you@example.com"), server.rcpt("them@acme.example")
    print(*server.data(b"Subject: kept\\r\\n\\r\\ntext\\r\\n"))
"""


@dataclass(frozen=True, slots=True)
class Release:
    """A release of Debian: its clean tree, and the libraries for its Python."""

    name: str
    base: Path
    wheels: Path

    def build(self, directory: Path) -> Path:
        """Build the package for this release, and return its place."""
        if self.base == DEBIAN:
            return build_deb(directory, self.wheels)
        with clean_tree(directory, base=self.base, wheels=self.wheels) as tree:
            copy_checkout(tree)
            tree.do(f"apt-get -qq --no-install-recommends install {BUILD_NEEDS}")
            tree.do(f"export SOURCE_DATE_EPOCH={source_epoch()}\nmake deb", cwd=COPY)
            [built] = tree.path(f"{COPY}/dist").glob("*.deb")
            return Path(shutil.copy(built, directory))

    def complaints(self, deb: Path, directory: Path) -> str:
        """Return the words of this release's lintian about the package."""
        command = ["lintian", "--allow-root", "--fail-on", "error,warning"]
        if self.base == DEBIAN:
            said = subprocess.run([*command, deb], check=False, capture_output=True, text=True)
            return said.stdout + said.stderr
        with clean_tree(directory, base=self.base, wheels=self.wheels) as tree:
            shutil.copyfile(deb, tree.path(DEB))
            tree.do("apt-get -qq --no-install-recommends install lintian")
            return tree.run(" ".join([*command, DEB])).stdout


def releases() -> Iterator[Release]:
    """Yield Debian 12, and Debian 13 if FURTHER names it."""
    yield Release("bookworm", DEBIAN, WHEELS)
    if "trixie" in os.environ.get("FURTHER", "").split():
        yield Release("trixie", PLACE / "trixie", PLACE / "trixie/wheels")


@pytest.fixture(scope="module", params=releases(), ids=lambda one: one.name)
def release(request: pytest.FixtureRequest) -> Release:
    one: Release = request.param
    return one


@pytest.fixture(scope="module")
def deb(release: Release, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return release.build(tmp_path_factory.mktemp("deb"))


@pytest.fixture(scope="module")
def installed(release: Release, deb: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The layer of a tree with systemd, in which the package was installed, but not set up."""
    directory = tmp_path_factory.mktemp("installed")
    with clean_tree(directory, base=release.base, wheels=release.wheels) as tree:
        shutil.copyfile(deb, tree.path(DEB))
        tree.do("apt-get -qq --no-install-recommends install systemd")
        tree.do("systemctl mask getty.target console-getty.service")  # the terminals are not ours
        tree.do(f"apt-get -qq --no-install-recommends install {DEB}")
        _make_newer(tree)
    return layer(directory)


@pytest.fixture
def machine(release: Release, installed: Path, tmp_path: Path) -> Iterator[CleanTree]:
    trees = clean_tree(tmp_path, installed, base=release.base, wheels=release.wheels)
    with trees as tree, booted(tree) as machine:
        yield machine


def _make_newer(tree: CleanTree) -> None:
    """Make a package of a later version, with the same content."""
    tree.do(
        "dpkg-deb --raw-extract restante.deb newer\n"
        "sed -i 's/^Version: .*/Version: 99-1/' newer/DEBIAN/control\n"
        f"dpkg-deb -Znone --root-owner-group --build newer {NEWER}\n"
        "rm -r newer"
    )


def set_up(machine: CleanTree) -> None:
    """Follow README.Debian, without its questions, and host a domain."""
    answers = "--yes --hostname mx2.example.net --account acme"
    domain = "--domain acme.example --destination 192.0.2.77:25"
    said = machine.do(f"restante setup {answers} {domain}")
    assert "Restante is set up, and runs." in said
    assert "Traceback" not in said


def set_up_by_hand(machine: CleanTree) -> None:
    """Make the files by `init`, and take the settings of the example."""
    machine.do(
        "restante init --dir /etc/restante --hostname mx2.example.net\n"
        "mv /etc/restante/data/* /var/lib/restante/\n"
        "rmdir /etc/restante/data\n"
        "chown -R restante: /var/lib/restante /etc/restante/restante.key /etc/restante/tls"
    )
    example = machine.do("cat /usr/share/doc/restante/examples/restante.toml")
    _write_settings(machine, example)
    machine.do("restante config check\nsystemctl start restante")


def _write_settings(machine: CleanTree, example: str) -> None:
    present = tomllib.loads(machine.path(CONFIGURATION).read_text())
    machine.path(CONFIGURATION).write_text(as_toml(merge(present, tomllib.loads(example))))


def held(machine: CleanTree) -> int:
    """Return the number of held messages, as the server tells."""
    shown = machine.do("restante domain show acme.example --json")
    found = re.search(r'"messages": ?(\d+)', shown)
    assert found, shown
    return int(found[1])


def state(machine: CleanTree) -> str:
    return machine.run("systemctl is-active restante").stdout.strip()


def process(machine: CleanTree) -> str:
    return machine.do("systemctl show --value --property MainPID restante").strip()


def send(machine: CleanTree) -> str:
    return machine.do(f"python3 - <<'END'{SEND}END")


def install(machine: CleanTree, package: str) -> str:
    return machine.do(f"dpkg --install {package}")


def test_lintian_has_nothing_to_say(release: Release, deb: Path, tmp_path: Path) -> None:
    assert release.complaints(deb, tmp_path) == ""


def test_what_is_installed_does_not_start_before_it_is_set_up(machine: CleanTree) -> None:
    assert machine.do("restante version") == f"restante {__version__}\n"
    assert machine.do("restante-client --version").startswith("restante-client ")
    assert machine.run("systemctl is-enabled restante").stdout == "enabled\n"
    machine.do("systemctl start restante")
    assert state(machine) == "inactive"
    assert machine.do("stat --format '%U %a' /var/lib/restante") == "restante 700\n"
    for file in (
        "/usr/share/man/man1/restante.1.gz",
        "/usr/share/man/man1/restante-client.1.gz",
        "/usr/share/bash-completion/completions/restante",
        "/usr/share/zsh/vendor-completions/_restante",
        "/usr/share/fish/vendor_completions.d/restante.fish",
    ):
        assert machine.path(file).is_file(), file
    unit = machine.do("restante files restante.service")
    assert unit == "/usr/lib/systemd/system/restante.service\n"


def test_the_example_has_the_settings_of_a_server_that_runs(machine: CleanTree) -> None:
    set_up_by_hand(machine)
    assert state(machine) == "active"


def test_a_second_setup_leaves_a_server_that_runs_alone(machine: CleanTree) -> None:
    set_up(machine)
    first = process(machine)
    assert send(machine).startswith("250 ")
    said = machine.do("restante setup --yes")
    assert said.startswith("/etc/restante: is set up already; nothing was changed\n")
    assert process(machine) == first
    assert held(machine) == 1
    assert machine.run("restante setup --yes --hostname mx9.example.net").returncode == 73


def test_mail_and_keys_survive_upgrade_removal_and_purge(machine: CleanTree) -> None:
    set_up(machine)
    assert state(machine) == "active"
    assert send(machine).startswith("250 ")
    first = process(machine)
    key = machine.path("/etc/restante/restante.key").read_bytes()

    install(machine, NEWER)
    assert state(machine) == "active"
    assert process(machine) != first
    assert held(machine) == 1

    machine.do("apt-get -qq remove restante")
    assert state(machine) == "inactive"
    assert not machine.path("/usr/lib/restante").exists()
    assert machine.path("/var/lib/restante/restante.db").is_file()
    said = machine.do("dpkg --purge restante")
    assert "/var/lib/restante is kept" in said
    assert machine.path("/etc/restante/restante.key").read_bytes() == key

    install(machine, NEWER)
    assert state(machine) == "active"
    assert held(machine) == 1
    assert send(machine).startswith("250 ")


def test_a_purge_erases_everything_if_it_is_told_to(machine: CleanTree) -> None:
    set_up(machine)
    machine.do("echo restante restante/erase boolean true | debconf-set-selections")
    machine.do("apt-get -qq purge restante")
    for directory in ("/etc/restante", "/var/lib/restante", "/usr/lib/restante"):
        assert not machine.path(directory).exists(), directory
    assert machine.run("getent passwd restante").returncode == 2


def test_an_upgrade_does_not_start_a_server_that_was_stopped(machine: CleanTree) -> None:
    set_up(machine)
    machine.do("systemctl stop restante")
    install(machine, NEWER)
    assert state(machine) == "inactive"
    machine.do("systemctl start restante")
    assert state(machine) == "active"


def test_an_upgrade_whose_version_refuses_the_configuration_says_so(machine: CleanTree) -> None:
    set_up(machine)
    configuration = machine.path(CONFIGURATION)
    good = configuration.read_text()
    configuration.write_text(f"unknown = 1\n{good}")
    said = install(machine, NEWER)
    assert "unknown" in said
    assert f"this version refuses {CONFIGURATION}" in said
    assert state(machine) == "inactive"
    configuration.write_text(good)
    machine.do("systemctl start restante")
    assert held(machine) == 0
