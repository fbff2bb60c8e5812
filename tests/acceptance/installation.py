"""An installation of Restante, used as by its operator: `restante init`, then its command line.

It has one account, alpha, with one login of that name.

    with Installation() as restante:                       # made, not running
        restante.start()
        login = restante.hosts("alpha.example", at(primary))
        …

The server is a process of its own with its own ports. It is stopped at the end of the `with`, and
must then exit in good order, with no defect in its log. A peer connects by `mx`, `starttls` or
`smtps`. Its clock belongs to the test: `ahead` sets it.
"""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, Final, Protocol, Self

from trustme import KeyType

from restante.config.privileges import _closed_directory
from tests.acceptance.certificates import Authority
from tests.acceptance.forked_command import ForkedServer, run_forked
from tests.acceptance.peers.eventually import PATIENCE, eventually
from tests.acceptance.peers.ports import free_port
from tests.acceptance.peers.process_group import ProcessGroup, adopt_orphans
from tests.acceptance.peers.server import Login, Server, Tls
from tests.kept_directory import kept_directory

RESTANTE: Final = Path(sys.executable).with_name("restante")
CHECKOUT: Final = Path(__file__).resolve().parents[2]
CLOCKED: Final = Path(__file__).with_name("clocked_server.py")
HOSTNAME: Final = "mx2.example.net"
HOST: Final = "127.0.0.1"
QUICK: Final = {
    "first_retry": 0.2,
    "longest_retry": 1.0,
}  # seconds: nobody waits for a second attempt in a test
LOG_TAIL: Final = 60  # lines

ALPHA: Final = Login("alpha", "the-alpha-password")

Ended = subprocess.CompletedProcess[str]


class Host(Protocol):
    """Something that listens: a primary, a sink."""

    @property
    def address(self) -> str:
        """Where."""

    @property
    def port(self) -> int:
        """On which port."""


def at(host: Host) -> str:
    """Spell a destination."""
    return f"{host.address}:{host.port}"


class Installation:
    """One directory, one configuration, and at most one server process."""

    open: ClassVar[list[Installation]] = []  # for the report of a test that failed
    new_database: ClassVar[Callable[[], str] | None] = None  # one with alpha; None: SQLite

    def __init__(
        self,
        *,
        user: str = "",
        mx_port: int | None = None,
        delivery: Mapping[str, float] | None = None,
        more: str = "",
        database: str = "",
        rpo: str = "accept-loss",
        top: str = "",
    ) -> None:
        """Make one. `delivery` has settings of that table; `more` is TOML with more tables.

        With `database`, its URL, the store is there, with no account before `hosts` adds one.
        `rpo` and `top`, more settings in TOML above the tables, are for a database.
        """
        self._directory = TemporaryDirectory(
            prefix="restante-"
        )  # short: the control socket's path has a limit
        self.directory = Path(self._directory.name)
        self.patience: float = PATIENCE  # for a start, in seconds
        self.is_forked = True  # from a process that has loaded the program: it starts at once
        self.config = self.directory / "restante.toml"
        self.log_path = self.directory / "log"
        self.mx_port = mx_port or free_port(HOST)
        self.smtps_port = free_port(HOST)
        self.web_port = free_port(HOST)
        self.odmr_port = free_port(HOST)
        self._process = ServerProcess(self.log_path)
        self._clock = self.directory / "seconds-ahead"
        self._logins = {} if database else {ALPHA.user: ALPHA}
        self._authorities = 0
        self._way_in = way_in(user, self.directory) if user else []
        shutil.copytree(_made(), self.directory, dirs_exist_ok=True)
        self.directory.chmod(0o755)  # a server that has dropped its privileges must get in
        self.certify()
        self.database = database or self._own_database()  # its URL; "": SQLite
        if self.database:
            self._share(self.database, rpo, top)
        self._configure(user, {**QUICK, **(delivery or {})}, more)

    def __enter__(self) -> Self:
        Installation.open.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        try:
            if self.is_running:
                self.stop()
            assert not self.events("internal-error"), self.log_tail()
        finally:
            self._process.stop()
            self._directory.cleanup()
            Installation.open.remove(self)

    @property
    def socket(self) -> Path:
        """The control socket."""
        return self.directory / ("state" if self.database else "data") / "control.sock"

    def certify(self) -> None:
        """Issue certificates by a new authority. A running server keeps the old until SIGHUP."""
        self._authorities += 1
        authority = Authority(self.directory, f"authority-{self._authorities}")
        self.authority = authority.file
        for key_type, suffix in ((KeyType.ECDSA, ""), (KeyType.RSA, "-rsa")):
            keys = authority.issue("localhost", key_type)
            shutil.copyfile(keys.certificate, self.directory / f"tls/cert{suffix}.pem")
            shutil.copyfile(keys.key, self.directory / f"tls/key{suffix}.pem")

    def certify_itself(self) -> None:
        """Put the certificates back that `restante init` made; a running server needs SIGHUP."""
        for made in (_made() / "tls").iterdir():
            shutil.copyfile(made, self.directory / "tls" / made.name)
        self.authority = self.directory / "tls/trust.pem"

    def _own_database(self) -> str:
        """Return the URL of a database for this installation alone; "" for SQLite."""
        make = Installation.new_database
        return make() if make is not None else ""

    def _share(self, database: str, rpo: str, top: str) -> None:
        """Have the store in a database, perhaps behind a pooler."""
        (self.directory / "state").mkdir(mode=0o700)
        pooled = str(bool(os.environ.get("RESTANTE_POOLER"))).lower()
        shared = (
            f'store = "{database}"\nrpo = "{rpo}"\nstate_dir = "state"\npooled = {pooled}\n{top}'
        )
        text = self.config.read_text()
        assert 'store = "sqlite:data"' in text
        self.config.write_text(text.replace('store = "sqlite:data"', shared))

    def _configure(self, user: str, delivery: Mapping[str, float], more: str) -> None:
        text = self.config.read_text()
        text = text.replace("127.0.0.1:2525", f"{HOST}:{self.mx_port}")
        text = text.replace("127.0.0.1:4465", f"{HOST}:{self.smtps_port}")
        text = text.replace("127.0.0.1:8025", f"{HOST}:{self.web_port}")
        text = text.replace("127.0.0.1:3660", f"{HOST}:{self.odmr_port}")
        text = text.replace('style = "text"', 'style = "json"')
        if user:
            text = text.replace('# user = "restante"', f'user = "{user}"')
            for path in self.directory.rglob("*"):
                shutil.chown(path, user)  # as `restante config check` says
        settings = "".join(f"{name} = {value}\n" for name, value in delivery.items())
        self.config.write_text(f"{text}\n[delivery]\n{settings}\n{_in_a_laboratory(more)}\n")

    # The server

    def start(self) -> None:
        """Start the server, and return when it says that it is ready."""
        starts = len(self.events("server-ready"))
        self.begin()
        self.await_start(starts)

    def begin(self) -> None:
        """Begin to start the server, and wait for nothing."""
        command = [*self._way_in, *self._program()]
        words: list[str | Path] = ["--config", self.config, "serve"]
        if self.is_forked and command == [RESTANTE]:
            self._process.fork(RESTANTE, words)
        else:
            self._process.start([*command, *words])

    def _program(self) -> Sequence[str | Path]:
        """Return the command that is the server's, without its arguments."""
        return [sys.executable, CLOCKED, self._clock] if self._clock.exists() else [RESTANTE]

    def await_start(self, starts: int = 0) -> None:
        """Wait until it is ready. `starts`: how often it was ready before, by its log."""

        def is_ready() -> bool:
            assert self.is_running, f"the server ended at once:\n{self.log_tail()}"
            return len(self.events("server-ready")) > starts

        eventually(is_ready, what="the server to be ready", timeout=self.patience)

    def stop(self) -> None:
        """Stop the server by SIGTERM, and see that it ends in good order."""
        assert self._process.end_by(signal.SIGTERM) == 0, self.log_tail()
        assert json.loads(self._log_lines()[-1])["event"] == "server-stopped", self.log_tail()

    def kill(self) -> None:
        """End the server as a power cut would: no goodbye, nothing finished."""
        self._process.end_by(signal.SIGKILL)

    def wait_until_it_leaves(self) -> int:
        """Return the server's exit code when it has ended by itself."""
        eventually(lambda: not self.is_running, what="the server to leave")
        return self._process.end_by(signal.SIGKILL)

    def reload(self) -> None:
        """Have the server read configuration and certificate again, and return when it has."""
        before = len(self.events("server-reloaded"))
        self.ask_to_reload()
        eventually(
            lambda: len(self.events("server-reloaded")) > before, what="the server to have reloaded"
        )

    def ask_to_reload(self) -> None:
        """Send SIGHUP."""
        os.kill(self.pid, signal.SIGHUP)

    def ahead(self, seconds: float) -> None:
        """Set the server's clock ahead of the machine's. The first use counts from its start."""
        renewed = self._clock.with_suffix(".new")
        renewed.write_text(str(seconds))
        renewed.replace(self._clock)  # never read half-way

    def doubt_leaps(self) -> None:
        """Let the server take its time before it trusts a clock that leapt."""
        self._clock.with_suffix(".waits").touch()

    @property
    def is_running(self) -> bool:
        """Whether the server's process is there."""
        return self._process.is_running

    @property
    def pid(self) -> int:
        """The server's process."""
        return self._process.pid

    # Where peers connect

    @property
    def mx(self) -> Server:
        """Port 25, in clear."""
        return Server(HOST, self.mx_port)

    @property
    def starttls(self) -> Server:
        """Port 25, with STARTTLS and the certificate checked."""
        return Server("localhost", self.mx_port, Tls.STARTTLS, self.authority)

    @property
    def smtps(self) -> Server:
        """Port 465: TLS from the first byte, and the certificate checked."""
        return Server("localhost", self.smtps_port, Tls.IMPLICIT, self.authority)

    @property
    def odmr(self) -> Server:
        """Port 366, with STARTTLS and the certificate checked."""
        return Server("localhost", self.odmr_port, Tls.STARTTLS, self.authority)

    # The command line

    def run(self, *words: str, typed: str = "") -> Ended:
        """Run a command of `restante`, however it ends."""
        return _run(self.config, *words, typed=typed)

    def do(self, *words: str, typed: str = "") -> str:
        """Run a command that must succeed, and return what it printed."""
        return _do(self.config, *words, typed=typed)

    def shown(self, *words: str) -> Any:
        """Return what a command shows, as JSON."""
        return json.loads(self.do(*words, "--json"))

    def etrn(
        self, *targets: str, login: Login, server: Server | None = None, options: Sequence[str] = ()
    ) -> Ended:
        """Ask like a primary that has only `restante etrn`."""
        server = server or self.smtps
        password = self.directory / f"password-of-{login.user}"
        password.touch(mode=0o600)
        password.write_text(f"{login.password}\n")
        who = ("--login", login.user, "--password-file", str(password))
        how = ("--tls", server.tls.value, "--ca", str(server.authority))
        return self.run("etrn", f"{server.host}:{server.port}", *targets, *who, *how, *options)

    # The records

    def has_account(self, name: str) -> Login:
        """Add an account with one login of its name, if it is not there, and return the login."""
        if name not in self._logins:
            self._logins[name] = login = Login(name, f"the-{name}-password")
            _add_account(self.config, login)
        return self._logins[name]

    def hosts(
        self,
        domain: str,
        destination: str,
        *options: str,
        account: str = "alpha",
        allow: Sequence[str] = (HOST,),
    ) -> Login:
        """Host a domain of an account, which is added if needed. Return the account's login."""
        login = self.has_account(account)
        hosts = [word for host in allow for word in ("--allow", host)]
        self.do(
            "domain",
            "add",
            domain,
            "--account",
            account,
            "--destination",
            destination,
            *hosts,
            *options,
        )
        return login

    def held(self, domain: str) -> int:
        """Return how many messages of a domain are in the store, refused ones included."""
        messages: int = self.shown("domain", "show", domain)["messages"]
        return messages

    def stored_octets(self) -> bytes:
        """Return the database of the store: its file, or its dump."""
        if not self.database:
            return (self.directory / "data/restante.db").read_bytes()
        from tests.postgres_cluster import installed_programs  # noqa: PLC0415  an extra

        dump = [str(installed_programs() / "pg_dump"), self.database]
        return subprocess.run(dump, check=True, capture_output=True).stdout

    # The log

    def events(self, name: str, **fields: Any) -> list[dict[str, Any]]:
        """Return the lines of an event, oldest first. `fields` selects lines with these values."""
        lines = [json.loads(line) for line in self._log_lines() if line.startswith("{")]
        return [line for line in lines if line["event"] == name and fields.items() <= line.items()]

    def wait_for_event(self, name: str, **fields: Any) -> dict[str, Any]:
        """Return the newest line of an event once there is one."""
        found = eventually(
            lambda: self.events(name, **fields), what=f"the event {name} {fields or ''}"
        )
        return found[-1]

    def log_tail(self) -> str:
        """Return the end of the server's log."""
        return "\n".join(self._log_lines()[-LOG_TAIL:])

    def _log_lines(self) -> list[str]:
        """Return the whole lines; one that is being written is not there yet."""
        text = self.log_path.read_text(errors="replace") if self.log_path.exists() else ""
        return text[: text.rfind("\n") + 1].splitlines()


def _in_a_laboratory(more: str) -> str:
    """Let MX records and webhooks of accounts lead to loopback, where all hosts of a test are.

    Destinations are not probed all the time, so that a test knows each connection.
    """
    if "[presence]" not in more:
        more = f"{more}\n[presence]\nprobes = false\n"
    if "private_addresses" in more:
        return more
    allowed = "[reports]\nprivate_addresses = true\n"
    return more.replace("[reports]\n", allowed) if "[reports]\n" in more else f"{more}\n{allowed}"


def _run(config: Path, *words: str, typed: str = "") -> Ended:
    return run_forked(RESTANTE, ["--config", str(config), *words], typed, timeout=150.0)


def _do(config: Path, *words: str, typed: str = "") -> str:
    ended = _run(config, *words, typed=typed)
    assert ended.returncode == 0, f"restante {' '.join(words)}: {ended.returncode} {ended.stderr}"
    return ended.stdout


def _add_account(config: Path, login: Login) -> None:
    _do(config, "account", "add", login.user)
    _do(config, "login", "add", login.user, login.user, "--password-stdin", typed=login.password)


def found(database: str) -> None:
    """Make the tables in a database, and the account alpha."""
    with Installation(database=database) as founder:
        _add_account(founder.config, ALPHA)


@cache
def _made() -> Path:
    """Return the files of `restante init` with the account alpha, made once to save time."""
    path = kept_directory("restante-made-")
    _do(path / "restante.toml", "init", "--dir", str(path), "--hostname", HOSTNAME)
    _do(path / "restante.toml", "key", "confirm-copied")
    _add_account(path / "restante.toml", ALPHA)
    return path


# Binds $3… into a directory at $1 that everybody may enter, for the command behind --.
OPEN_UP: Final = """
closed=$1 new=$2; shift 2
mkdir -p -m 755 "$new"
while [ "$1" != -- ]; do
    mkdir -p "$new/${1#"$closed"/}"
    mount --rbind "$1" "$new/${1#"$closed"/}"
    shift
done
shift
mount --rbind "$new" "$closed"
exec "$@"
"""


def way_in(user: str, directory: Path) -> list[str | Path]:
    """Return a prefix for a command that lets a user enter the directories of the program.

    Where Python or this checkout is in root's home, the server rightly refuses to run as the user.
    """
    record = pwd.getpwnam(user)
    programs = {Path(sys.prefix), Path(sys.base_prefix), CHECKOUT}
    closed = {
        _closed_directory(one / "any", record.pw_uid, {record.pw_gid}) for one in programs
    } - {None}
    if not closed:
        return []
    [top] = closed
    assert top is not None
    inside = [one for one in programs if one.is_relative_to(top)]
    unshare = [
        "unshare",
        "--mount",
        "--propagation",
        "private",
        "/bin/sh",
        "-ec",
        OPEN_UP,
        "open-up",
    ]
    return [*unshare, top, directory / "home", *inside, "--"]


class ServerProcess(ProcessGroup):
    """The server's process: it may be ended in more than one way, and must not be helped along."""

    def fork(self, program: Path, words: Sequence[str | Path]) -> None:
        """Start it without the start of an interpreter."""
        adopt_orphans()
        with self._log.open("ab") as log:
            self._follow(ForkedServer(program, [str(word) for word in words], log.fileno()))

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._leader is not None, "the server is not running"
        return self._leader.pid

    def end_by(self, how: signal.Signals, *, patience: float = PATIENCE) -> int:
        """Send a signal and return the exit code, once it has ended by itself."""
        leader = self._leader
        assert leader is not None, "the server is not running"
        leader.send_signal(how)
        eventually(
            lambda: leader.poll() is not None,
            what=f"the server to end by {how.name}",
            timeout=patience,
        )
        self.stop()
        assert leader.returncode is not None
        return leader.returncode
