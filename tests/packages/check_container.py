"""The image of contrib/container: built by buildah on a clean tree of Debian, and run by crun.

crun runs it as compose.yaml tells: with a root directory that is only read, without capabilities,
and with the volume and the directories in memory. The network is that of the test.
"""

from __future__ import annotations

import json
import os
import smtplib
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import yaml  # type: ignore[import-untyped]

from restante import __version__
from tests.acceptance.peers.eventually import eventually
from tests.packages.clean_tree import PIP, PLACE, WHEELS, kept

CHECKOUT: Final = Path(__file__).parents[2]
CONTAINER: Final = CHECKOUT / "contrib/container"
SERVICE: Final = yaml.safe_load((CONTAINER / "compose.yaml").read_text())["services"]["restante"]
OWNER: Final = 10025
SECONDS: Final = 900
BASE: Final = "localhost/debian:test"
IMAGE: Final = "localhost/restante:test"
PORT: Final = 2525
CONFIGURATION: Final = "/etc/restante/restante.toml"

# crun refuses a machine that has both kinds of control groups. It sees the newer kind only.
CRUN: Final = (
    *("unshare", "--mount", "/bin/sh", "-ec"),
    'mount -t cgroup2 groups /sys/fs/cgroup; exec crun "$@"',
    "crun",
)

Ended = subprocess.CompletedProcess[str]


@dataclass(frozen=True, slots=True)
class Builder:
    """buildah with storage of its own."""

    directory: Path

    def do(self, *words: str | Path) -> str:
        """Run it, and return its output."""
        root, run = self.directory / "storage", self.directory / "run"
        command = ["buildah", f"--root={root}", f"--runroot={run}", "--storage-driver=overlay"]
        command += map(str, words)
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=SECONDS)
        assert done.returncode == 0, f"{words}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout.strip()


@pytest.fixture(scope="module")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Builder]:
    """A builder that has built the image."""
    builder = Builder(tmp_path_factory.mktemp("builder"))
    with kept():
        _build(builder)
        yield builder
    builder.do("rm", "--all")


def _build(builder: Builder) -> None:
    base = builder.do("from", "scratch")
    copy = ["cp", "--archive", f"{PLACE}/debian/.", builder.do("mount", base)]
    subprocess.run(copy, check=True)
    builder.do("commit", "--rm", base, BASE)
    settings = builder.directory / "pip.conf"
    settings.write_text(PIP)
    volumes = ["--volume", f"{WHEELS}:/wheels:ro", "--volume", f"{settings}:/etc/pip.conf:ro"]
    builder.do("build", "--isolation", "chroot", "--format", "docker", "--pull-never", *volumes,
               "--build-arg", f"BASE={BASE}", "--tag", IMAGE,
               "--file", CONTAINER / "Containerfile", CHECKOUT)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Container:
    """A place where the image's programs run, with one volume."""

    directory: Path
    root: str
    variables: Sequence[str]

    def start(self, name: str, *command: str) -> subprocess.Popen[str]:
        """Start a container."""
        bundle = self.directory / name
        bundle.mkdir()
        (bundle / "config.json").write_text(json.dumps(self._settings(command)))
        words = [*self._crun(), "run", "--bundle", str(bundle), name]
        return subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, name: str, *command: str) -> Ended:
        """Run a container to its end."""
        process = self.start(name, *command)
        output, _ = process.communicate(timeout=SECONDS)
        return subprocess.CompletedProcess(command, process.returncode, output, "")

    def enter(self, name: str, *command: str) -> Ended:
        """Run a command in a container that runs."""
        words = [*self._crun(), "exec", "--user", f"{OWNER}:{OWNER}", name, *command]
        return subprocess.run(words, check=False, capture_output=True, text=True, timeout=SECONDS)

    def stop(self, name: str) -> None:
        """Send the signal that the image names."""
        subprocess.run([*self._crun(), "kill", name, "TERM"], check=True)

    def end(self, name: str) -> None:
        """End a container, if it is there."""
        subprocess.run([*self._crun(), "delete", "--force", name], check=False, capture_output=True)

    def _crun(self) -> list[str]:
        return [*CRUN, "--cgroup-manager=disabled", "--root", str(self.directory / "crun")]

    def _settings(self, command: Sequence[str]) -> dict[str, Any]:
        """Return the settings of the runtime, as those of compose.yaml."""
        none: dict[str, list[str]] = {
            name: [] for name in ("bounding", "effective", "inheritable", "permitted", "ambient")
        }
        process = {
            "args": list(command),
            "cwd": "/",
            "env": list(self.variables),
            "user": {"uid": OWNER, "gid": OWNER},
            "capabilities": none,
            "noNewPrivileges": "no-new-privileges:true" in SERVICE["security_opt"],
        }
        namespaces = [{"type": name} for name in ("pid", "ipc", "uts", "mount")]
        return {
            "ociVersion": "1.0.2",
            "process": process,
            "root": {"path": self.root, "readonly": SERVICE["read_only"]},
            "mounts": list(self._mounts()),
            "linux": {"namespaces": namespaces},
        }

    def _mounts(self) -> Iterator[dict[str, Any]]:
        yield {"destination": "/proc", "type": "proc", "source": "proc"}
        yield {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755"]}
        for line in SERVICE["tmpfs"]:
            place, _, options = line.partition(":")
            yield {
                "destination": place,
                "type": "tmpfs",
                "source": "tmpfs",
                "options": ["nosuid", "nodev", *options.split(",")],
            }
        bound = {"/var/lib/restante": self.directory / "mail", CONFIGURATION: self._configuration()}
        for place, source in bound.items():
            yield {"destination": place, "type": "bind", "source": str(source), "options": ["bind"]}

    def _configuration(self) -> Path:
        return CONTAINER / "restante.toml"


@pytest.fixture
def container(builder: Builder, tmp_path: Path) -> Container:
    root = builder.do("mount", builder.do("from", IMAGE))
    (tmp_path / "mail").mkdir(mode=0o755)
    os.chown(tmp_path / "mail", OWNER, OWNER)
    return Container(tmp_path, root, configured(builder)["Env"])


def configured(builder: Builder) -> dict[str, Any]:
    """Return the image's own settings."""
    shown: dict[str, Any] = json.loads(builder.do("inspect", "--type", "image", IMAGE))
    settings: dict[str, Any] = shown["Docker"]["config"]
    return settings


def make_keys(container: Container) -> None:
    """Do what compose.yaml tells to do before the first start."""
    told = next(
        line for line in (CONTAINER / "compose.yaml").read_text().splitlines() if " init " in line
    )
    command = told.partition("run --rm restante ")[2].split()
    ended = container.run("init", *command)
    assert ended.returncode == 0, ended.stdout


@contextmanager
def serving(container: Container, command: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    """Run the server."""
    server = container.start("server", *command)
    try:
        eventually(_greets, what="the server to greet", timeout=300.0)
        yield server
    finally:
        container.end("server")
        server.kill()


def _greets() -> bool:
    with suppress(OSError), smtplib.SMTP("127.0.0.1", PORT) as client:
        return client.noop()[0] == 250
    return False


def test_the_image_tells_how_to_run_it(builder: Builder) -> None:
    settings = configured(builder)
    assert settings["User"] == f"{OWNER}:{OWNER}"
    assert settings["Cmd"] == ["restante", "serve"]
    assert settings["StopSignal"] == "SIGTERM"
    assert settings["Healthcheck"]["Test"][0] == "CMD-SHELL"
    assert settings["Healthcheck"]["Test"][1] == health()


def health() -> str:
    """Return the command of compose.yaml, which writes $$ for $."""
    command: str = SERVICE["healthcheck"]["test"][1]
    return command.replace("$$", "$")


def test_the_program_runs_without_rights_and_cannot_change_its_image(container: Container) -> None:
    assert container.run("version", "restante", "version").stdout == f"restante {__version__}\n"
    assert container.run("id", "id", "-u").stdout == f"{OWNER}\n"
    written = container.run("touch", "touch", "/opt/restante/x")
    assert "Read-only file system" in written.stdout
    rights = container.run("rights", "grep", "-E", "CapEff|CapBnd|NoNewPrivs", "/proc/self/status")
    assert set(rights.stdout.split()[1::2]) == {"0000000000000000", "1"}


def test_the_image_has_no_tools_that_only_its_build_needs(container: Container) -> None:
    looked = "command -v pip gcc; ls /source; ls /opt/restante/lib/python3*/site-packages/pip"
    ended = container.run("tools", "sh", "-c", looked)
    assert "pip\n" not in ended.stdout.replace("'", "\n").partition("ls:")[0]
    assert ended.stdout.count("No such file or directory") == 2


def test_a_server_holds_mail_is_healthy_and_ends_in_good_order(
    builder: Builder, container: Container
) -> None:
    make_keys(container)
    with serving(container, configured(builder)["Cmd"]) as server:
        for command in (
            "account add acme",
            "domain add acme.example --account acme --destination 192.0.2.77:25",
        ):
            ended = container.enter("server", "restante", *command.split())
            assert ended.returncode == 0, ended.stderr
        with smtplib.SMTP("127.0.0.1", PORT) as client:
            client.sendmail("you@example.com", "them@acme.example", "Subject: kept\r\n\r\ntext\r\n")
        checked = container.enter("server", "sh", "-c", health())
        assert checked.returncode == 0, checked.stdout + checked.stderr
        container.stop("server")
        output, _ = server.communicate(timeout=SECONDS)
    assert server.returncode == 0, output
    assert '"event":"server-stopped"' in output.replace(" ", "").splitlines()[-1]
