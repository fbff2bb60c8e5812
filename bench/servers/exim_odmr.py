"""Exim of Debian sid at both ends of a turnaround (RFC 2645): as the customer, and as a provider.

As a provider over TLS, Exim 4.100.1 hands over one message. It starts a process for each, and the
second process goes on with the TLS state of the first: "An unexpected TLS packet was received".
Without TLS all messages come. So here the provider offers AUTH and ATRN in clear, which is its best
case, and no setting for the real world.
"""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.domains import HOST, domain
from bench.load.load import Load
from tests.acceptance.installation import ServerProcess
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.exim import EXIM_USER
from tests.acceptance.peers.odmr_programs import EXIM, EximCustomer, SidTree
from tests.acceptance.peers.ports import free_port
from tests.acceptance.peers.server import Login, Server

FORERUN: Final = domain(1)  # fetched beforehand, so that the server knows its customer
LOGIN: Final = Login("alpha", "the-alpha-password")
PATIENCE: Final = 900.0  # seconds
# No limit ends the connection, and accepted mail stays in the spool.
TAKING: Final = (
    "queue_only",
    "smtp_accept_max_per_connection = 0",
    "local_interfaces = 127.0.0.1",
    "daemon_smtp_ports = {port}",
)
PROVIDER: Final = """\
primary_hostname = mx2.example.net
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
log_file_path = /var/log/%slog
keep_environment =
queue_only
queue_run_in_order
smtp_accept_max = 0
smtp_accept_max_per_connection = 0
tls_advertise_hosts =
acl_smtp_rcpt = accept
acl_smtp_atrn = at_atrn

begin acl
at_atrn:
  defer  !atrn_domains = {domain}
         message = 453 You have no mail
  accept

begin routers
to_customer:
  driver = manualroute
  condition = ${{if eq {{$atrn_mode}}{{P}}}}
  route_data = <;$atrn_host byname
  self = send
  transport = to_customer
stays:
  driver = redirect
  allow_defer
  data = :defer: until ATRN

begin transports
to_customer:
  driver = smtp
  allow_localhost

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_condition = ${{if eq{{$auth3}}{{{password}}}}}
  server_set_id = $auth2
"""


@dataclass(frozen=True, slots=True)
class Taken:
    """The time of a turnaround, and the CPU time of its customer."""

    seconds: float
    cpu: float  # seconds


class TakingExim(EximCustomer):
    """The customer. Its accepted mail stays in the spool, each message synced."""

    def __init__(self) -> None:
        self.port = free_port()
        super().__init__([domain(), FORERUN], *(line.format(port=self.port) for line in TAKING))

    def forget_tls(self) -> None:
        """Connect in clear from now on, until `configure`."""
        file = self.top / "etc/exim4/exim4.conf"
        text = file.read_text()
        assert "hosts_require_tls = *" in text
        file.write_text(text.replace("hosts_require_tls = *", "hosts_avoid_tls = *"))

    def take_all(self, server: Server, messages: int, hosted: str = domain()) -> Taken:
        """Turn a connection around, and see that so many messages of a domain came."""
        before = self.queue_length
        begin = time.monotonic()
        turn = self.start_turn(server, hosted)
        cpu = eventually(lambda: _cpu_of(turn), what="the turnaround's end", timeout=PATIENCE)
        seconds = time.monotonic() - begin
        assert cpu is not None
        came = self.queue_length - before
        assert came == messages, f"{came} came:\n{self.log()[-2000:]}"
        return Taken(seconds, cpu)

    @contextmanager
    def listening(self) -> Iterator[ServerProcess]:
        """Run its daemon, which others can connect to."""
        with _daemon(self, self.port) as process:
            yield process


def _cpu_of(process: subprocess.Popen[bytes]) -> float | None:
    """Reap a process that has ended, and return its CPU seconds with those of its children."""
    pid, status, usage = os.wait4(process.pid, os.WNOHANG)
    if not pid:
        return None
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime


class EximProvider(SidTree):
    """The provider, with mail in its spool."""

    def __init__(self) -> None:
        super().__init__()
        self.port = free_port()
        for place in ("var/mail", "var/spool/exim4", "var/log"):
            (self.top / place).mkdir(parents=True, exist_ok=True)
            os.chown(self.top / place, EXIM_USER, EXIM_USER)
        text = PROVIDER.format(port=self.port, domain=domain(), password=LOGIN.password)
        (self.top / "etc/exim4/exim4.conf").write_text(text)

    @contextmanager
    def holding(self, load: Load) -> Iterator[ServerProcess]:
        """Run it with a load that it has accepted."""
        with _daemon(self, self.port) as process:
            load.send(self.port)
            yield process

    @property
    def queue_length(self) -> int:
        """The number of messages in its spool."""
        return len(list((self.top / "var/spool/exim4/input").glob("*-H")))


def in_clear(port: int, authority: Path) -> Server:
    """Return a server without TLS. The customer's configuration has some authority even so."""
    return Server("localhost", port, authority=authority)


@contextmanager
def _daemon(tree: SidTree, port: int) -> Iterator[ServerProcess]:
    process = ServerProcess(tree.top / "var/log/daemon")
    process.start(["chroot", tree.top, EXIM, "-bdf"])
    try:
        eventually(lambda: _listens(port), what="Exim to listen")
        yield process
    finally:
        process.stop()


def _listens(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=5).close()
    except ConnectionError:
        return False
    return True
