"""The machine on which `restante setup` runs: its facts, its user database, and systemd.

Users are made by the tools of the system. Nothing here is undone: a user or unit that is there
stays as it is.
"""

import contextlib
import errno
import os
import pwd
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import restante
from restante.cli.failures import Exit, Failure
from restante.cli.files_command import shared_files
from restante.network.addresses import split_host_port
from restante.phrases import cause_of

SYSTEM_DIRECTORY: Final = Path("/etc/restante")
SYSTEM_STORE: Final = Path("/var/lib/restante")
BACKUPS: Final = Path("/var/backups/restante")
SYSTEM_SOCKET: Final = Path("/run/restante/control.sock")
UNIT_NAME: Final = "restante.service"
_UNITS: Final = Path("/etc/systemd/system")
_UNITS_OF_PACKAGES: Final = (Path("/lib/systemd/system"), Path("/usr/lib/systemd/system"))
_BOOTED: Final = Path("/run/systemd/system")  # sd_booted(3)
_HIDDEN: Final = ("/home", "/root", "/run/user")  # by ProtectHome= of the unit
_NO_LOGIN: Final = ("/usr/sbin/nologin", "/sbin/nologin", "/bin/false")
_LAST_PRIVILEGED_PORT: Final = 1023
_TOOL_SECONDS: Final = 150.0  # more than TimeoutStartSec of the unit


@dataclass(frozen=True, slots=True)
class MachineFacts:
    """The facts that decide the defaults of a setup."""

    is_root: bool
    user: str  # of this process
    hostname: str
    home: Path
    has_ipv6: bool
    has_systemd: bool


def look_at_machine() -> MachineFacts:
    """Return the facts of this machine."""
    from restante.config.init_files import own_name  # noqa: PLC0415  heavy

    try:
        user = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # in a container, a user may have a number only
        user = str(os.geteuid())
    return MachineFacts(
        is_root=os.geteuid() == 0,
        user=user,
        hostname=own_name(),
        home=Path(os.environ.get("HOME") or Path.cwd()),
        has_ipv6=_has_ipv6(),
        has_systemd=_BOOTED.is_dir() and shutil.which("systemctl") is not None,
    )


def _has_ipv6() -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6) as probe:
        probe.bind(("::1", 0))
        return True
    return False


def own_program() -> Path:
    """Return the program that a unit starts: the one of this installation, as PATH names it."""
    beside = Path(sys.executable).with_name("restante")
    found = shutil.which("restante")
    if found is not None and (not beside.exists() or Path(found).resolve() == beside.resolve()):
        return Path(found)
    return beside


def shown_program() -> str:
    """Return the word by which this program is called in a shell, its path if PATH lacks it."""
    own = own_program()
    return "restante" if shutil.which("restante") == str(own) else str(own)


def why_no_unit(program: Path) -> str:
    """Return why the unit cannot start this program, "" if it can."""
    for path in (program, program.resolve()):
        if any(path.is_relative_to(place) for place in _HIDDEN):
            return f"{path} is under a home directory, which the unit cannot see"
    if re.search(r"[\s\"'\\%$]", str(program)):
        return f"{program} has characters that a unit cannot have"
    return ""


# --- users


def make_user(user: str, home: Path) -> None:
    """Make a system user without a login shell. Raises Failure."""
    shell = next((one for one in _NO_LOGIN if Path(one).exists()), _NO_LOGIN[-1])
    if shutil.which("useradd"):
        options = ["--system", "--user-group", "--home-dir", str(home), "--shell", shell]
        _run(["useradd", *options, user])
    elif shutil.which("adduser"):  # of BusyBox
        _run(["adduser", "-S", "-D", "-H", "-h", str(home), "-s", shell, user])
    else:
        remedy = f"make user {user} by the tool of your system, then run this again"
        raise Failure(Exit.UNAVAILABLE, f"useradd: this system does not have it; {remedy}")


def make_backup_directory(owner: pwd.struct_passwd) -> None:
    """Make the directory that the unit lets the server write backups to, if there is none."""
    if not BACKUPS.exists():
        BACKUPS.parent.mkdir(parents=True, exist_ok=True)
        BACKUPS.mkdir(mode=0o700)
        os.chown(BACKUPS, owner.pw_uid, owner.pw_gid)


def unix_account(user: str) -> pwd.struct_passwd | None:
    """Return the record of a user, or None."""
    try:
        return pwd.getpwnam(user)
    except KeyError:
        return None


# --- addresses


def unusable_addresses(addresses: Iterable[str]) -> list[str]:
    """Return why the server could not listen on some of these addresses, a text for each."""
    found = []
    for address in addresses:
        host, port = split_host_port(address)
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            try:
                _bind(probe, host, port)
            except OSError as error:
                found.append(f"{address}: {_why_not_bound(error, port)}")
    return found


def _bind(probe: socket.socket, host: str, port: int) -> None:
    if probe.family == socket.AF_INET6:
        probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    probe.bind((host, port))
    probe.listen(1)  # two sockets may have the same address until one of them listens


def _why_not_bound(error: OSError, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"another program listens there; find it by `ss -ltnp sport = :{port}`, and stop it"
    if error.errno == errno.EACCES and port <= _LAST_PRIVILEGED_PORT:
        return "only root may listen there; run this as root, or choose a port above 1023"
    return f"{error.strerror}; choose an address of this machine"


# --- systemd


def find_unit() -> Path | None:
    """Return the unit that systemd has for the server, or None."""
    places = (place / UNIT_NAME for place in (_UNITS, *_UNITS_OF_PACKAGES))
    return next((unit for unit in places if unit.exists()), None)


def unit_place() -> Path:
    """Return where a new unit is written."""
    return _UNITS / UNIT_NAME


def unit_text(program: Path, config: Path, user: str, group: str) -> str:
    """Return the unit of this release, with this program, configuration and user."""
    shared = [one for one in shared_files("restante") if one.name == UNIT_NAME]
    checkout = Path(restante.__file__).parents[2] / "contrib" / "systemd" / UNIT_NAME
    text = next((one for one in (*shared, checkout) if one.exists()), checkout).read_text("utf-8")
    for name, value in (
        ("ExecStart", f"{program} --config {config} serve"),
        ("User", user),
        ("Group", group),
    ):
        line = f"{name}={value}"
        text = re.sub(rf"^{name}=.*$", line.replace("\\", r"\\"), text, flags=re.MULTILINE)
    return text


def start_unit() -> None:
    """Start the unit now and at each boot. Returns when the server listens. Raises Failure."""
    _run(["systemctl", "daemon-reload"])
    _run(["systemctl", "enable", "--now", UNIT_NAME])


def _run(command: Sequence[str]) -> None:
    """Run a tool of the system. Raises Failure with the last line that it wrote."""
    remedy = "correct that, then run this again"
    try:
        ended = subprocess.run(  # noqa: S603  arguments as a list, of ours or checked
            command, check=False, capture_output=True, text=True, timeout=_TOOL_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failure(Exit.UNAVAILABLE, f"{command[0]}: {cause_of(error)}; {remedy}") from None
    if ended.returncode:
        written = (ended.stderr or ended.stdout).strip().splitlines()
        cause = written[-1] if written else f"ended with {ended.returncode}"
        raise Failure(Exit.UNAVAILABLE, f"{' '.join(command)}: {cause}; {remedy}")
