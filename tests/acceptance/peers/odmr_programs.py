"""Programs of customers that fetch mail by ATRN (ODMR, RFC 2645): Exim and fetchmail.

Exim with ATRN and a newer fetchmail are of Debian sid, in a tree with their own C library. Each
function describes the program's behavior on the wire, as seen with Exim 4.100.1, fetchmail 6.4.37
and 6.6.9.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Self

from tests.acceptance.peers.exim import EXIM_USER
from tests.acceptance.peers.mailbox import Maildir
from tests.acceptance.peers.primary import KeyPair, Primary
from tests.acceptance.peers.programs import (
    PLACES,
    Ended,
    missing,
    peers_directory,
    require,
    require_root,
    run,
)
from tests.acceptance.peers.server import Login, Server, Tls

EXIM: Final = "/usr/sbin/exim4"
# The router, the transport and the authenticator are those of the guide.
GUIDE: Final = Path(__file__).parents[3] / "docs/how-to/run-a-primary-behind-cgnat.md"
HEAD: Final = """\
primary_hostname = mail.customer.example
keep_environment =
domainlist ours = {domains}
acl_smtp_rcpt = at_rcpt
log_selector = +smtp_connection
log_file_path = /var/log/%slog
tls_advertise_hosts =
smtp_accept_queue_per_connection = 0
{settings}
begin acl
at_rcpt:
  accept domains = +ours
  deny   message = relay not permitted

"""
LOCAL_ROUTER: Final = """\
everyone:
  driver = accept
  domains = +ours
  transport = one_maildir

"""
LOCAL_TRANSPORT: Final = """\
one_maildir:
  driver = appendfile
  directory = /var/mail/all
  maildir_format
  return_path_add
  envelope_to_add
  delivery_date_add
  user = Debian-exim

"""


EXTERNAL: Final = """\
by_certificate:
  driver = external
  public_name = EXTERNAL
  client_send = USER
"""
OWN_CERTIFICATE: Final = """\
  tls_certificate = /etc/exim4/own.pem
  tls_privatekey = /etc/exim4/own.key
"""


def guide_of_exim() -> str:
    """Return the configuration in the guide, as a reader would copy it."""
    _, _, rest = GUIDE.read_text(encoding="utf-8").partition("```exim\nbegin routers\n")
    text, fence, _ = rest.partition("```")
    assert fence, f"no configuration of Exim in {GUIDE}"
    return f"begin routers\n{text}"


def exim_configuration(
    server: Server, login: Login, domains: Sequence[str], settings: Sequence[str]
) -> str:
    """Return the guide's configuration with the names of a test, and local delivery."""
    protocol = "\n  protocol = smtps" if server.tls is Tls.IMPLICIT else ""
    names = {
        "port = 366": f"port = {server.port}{protocol}\n  allow_localhost",
        "command_timeout = 10m": "command_timeout = 20s",
        "tls_verify_certificates = system": "tls_verify_certificates = /etc/exim4/ca.pem",
        "^acme-mail^PASSWORD": f"^{login.user}^{login.password}",
    }
    return whole_configuration(_replaced(guide_of_exim(), names), domains, settings)


def whole_configuration(guide: str, domains: Sequence[str], settings: Sequence[str] = ()) -> str:
    """Return the guide's text beside the rest of a customer's configuration: local delivery."""
    own = {
        "begin transports\n": f"{LOCAL_ROUTER}begin transports\n",
        "begin authenticators\n": f"{LOCAL_TRANSPORT}begin authenticators\n",
    }
    head = HEAD.format(domains=" : ".join(domains), settings="\n".join(settings))
    return head + _replaced(guide, own)


def _replaced(text: str, names: dict[str, str]) -> str:
    for of_the_guide, of_the_test in names.items():
        assert of_the_guide in text, of_the_guide
        text = text.replace(of_the_guide, of_the_test)
    return text


class SidTree:
    """A copy of the tree of Debian sid, by hard links; a file of it is replaced, never changed."""

    def __init__(self) -> None:
        stock = peers_directory() / "sid"
        if not (stock / ".recipe").exists():
            missing(f"{stock} is not there: run ci/install-peers")
        require_root()
        self._directory = TemporaryDirectory(dir=peers_directory(), prefix="run-")
        self.top = Path(self._directory.name)
        shutil.copytree(stock, self.top, copy_function=os.link, dirs_exist_ok=True, symlinks=True)
        self.top.chmod(0o755)
        # fetchmail looks up the name of this machine.
        (self.top / "etc/hosts").unlink()
        (self.top / "etc/hosts").write_text(f"127.0.0.1 localhost {socket.gethostname()}\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._directory.cleanup()

    def run(self, program: str, *words: str, timeout: float = 150.0) -> Ended:
        """Run a program of the tree, which sees it as the root directory."""
        return run("chroot", self.top, program, *words, timeout=timeout, home_inside="/root")

    def take(self, file: Path, place: str) -> None:
        """Copy a file into the tree."""
        shutil.copyfile(file, self.top / place)


class EximCustomer(SidTree):
    """Exim that turns the connection around, and delivers into one Maildir.

    It sends ATRN even where EHLO does not offer it. Its exit code is
    0 after any 4xx, and 1 after a 5xx to ATRN.
    """

    def __init__(self, domains: Sequence[str], *settings: str) -> None:
        """`settings` are further lines of its configuration."""
        super().__init__()
        self.domains = domains
        self._settings = settings
        self.mailbox = Maildir(self.top / "var/mail/all")
        for place in ("var/mail", "var/spool/exim4", "var/log"):
            (self.top / place).mkdir(parents=True, exist_ok=True)
            os.chown(self.top / place, EXIM_USER, EXIM_USER)

    def turn(
        self, server: Server, login: Login, targets: str, keys: KeyPair | None = None
    ) -> Ended:
        """Run `exim -atrn`; '' asks for all domains. With `keys` it uses EXTERNAL."""
        self.configure(server, login, keys)
        return self.run(EXIM, "-atrn", server.host, targets)

    def start_turn(self, server: Server, targets: str) -> subprocess.Popen[bytes]:
        """Start the same, after `configure`, in a process group of its own."""
        return subprocess.Popen(
            [require("chroot"), self.top, EXIM, "-atrn", server.host, targets],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env={"PATH": PLACES, "HOME": "/root", "LC_ALL": "C"},
        )

    def queued(self) -> list[Path]:
        """Return the files of messages in its spool that are whole: each has an envelope."""
        return list(self._spool.glob("*-H"))

    @property
    def queue_length(self) -> int:
        """The number of these files, without a look at each."""
        if not self._spool.exists():
            return 0
        with os.scandir(self._spool) as files:
            return sum(file.name.endswith("-H") for file in files)

    @property
    def _spool(self) -> Path:
        return self.top / "var/spool/exim4/input"

    def configure(self, server: Server, login: Login, keys: KeyPair | None = None) -> None:
        """Write its configuration."""
        assert server.authority
        self.take(server.authority, "etc/exim4/ca.pem")
        text = exim_configuration(server, login, self.domains, self._settings)
        if keys:
            text = text.replace("begin authenticators\n", f"begin authenticators\n{EXTERNAL}")
            text = text.replace(
                "  hosts_try_auth = *\n", f"  hosts_try_auth = *\n{OWN_CERTIFICATE}"
            )
            text = text.replace("USER", login.user)
            for file, name in ((keys.certificate, "own.pem"), (keys.key, "own.key")):
                self.take(file, f"etc/exim4/{name}")
                (self.top / "etc/exim4" / name).chmod(0o644)
        (self.top / "etc/exim4/exim4.conf").write_text(text)

    def log(self) -> str:
        """Return what Exim has logged."""
        path = self.top / "var/log/mainlog"
        return path.read_text(errors="replace") if path.exists() else ""


def fetchmail_turns(
    server: Server, login: Login, local: Primary, *targets: str, of_sid: bool = False
) -> Ended:
    """Fetch with `fetchmail --protocol ODMR`; it passes lines on to the local mail server.

    It needs TLS from the first byte: it knows no STARTTLS here. It uses CRAM-MD5 even if that is
    not offered. It reads one line of a TLS record and waits for the next record, so a server must
    send a record for each line.
    Exit codes: 0 for 250 and 453, also if mail is left; 2 connection; 3 for 530 and 535. 4 is for
    450, 459 and others, and 8 for 451.
    """
    assert server.tls is Tls.IMPLICIT, "in ODMR mode fetchmail knows implicit TLS only"
    assert server.authority
    with ExitStack() as stack:
        if of_sid:
            tree = stack.enter_context(SidTree())
            inside, seen = tree.top / "root", Path("/root")
        else:
            inside = seen = Path(stack.enter_context(TemporaryDirectory()))
        shutil.copyfile(server.authority, inside / "ca.pem")
        settings = inside / "fetchmailrc"
        settings.touch(mode=0o600)  # fetchmail reads no file that others can read
        settings.write_text(
            f'poll "{server.host}" protocol ODMR service {server.port}'
            f' username "{login.user}" password "{login.password}"'
            f" fetchdomains {', '.join(targets)}"
            f" smtphost 127.0.0.1/{local.port}"
            f' options ssl sslcertck sslcertfile "{seen / "ca.pem"}"\n'
        )
        words = ("-vv", "--fetchmailrc", str(seen / "fetchmailrc"), "--pidfile", str(seen / "pid"))
        if of_sid:
            return tree.run("/usr/bin/fetchmail", *words)
        return run("fetchmail", *words)
