"""Exim as a primary: Debian's binary in a tree of its own.

Exim reads only the configuration file compiled into it, /etc/exim4/exim4.conf. So each primary gets
a copy of the tree that `ci/install-peers` has made, by hard links, as its root directory.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from string import Template
from tempfile import TemporaryDirectory
from typing import Final

from tests.acceptance.peers.mailbox import Maildir
from tests.acceptance.peers.primary import Primary
from tests.acceptance.peers.programs import missing, peers_directory, require, require_root

EXIM_USER: Final = 8  # in the tree's etc/passwd; written there by ci/install-peers

CONFIGURATION: Final = Template("""\
$settings
domainlist ours = $domains
acl_smtp_rcpt = at_rcpt

begin acl
at_rcpt:
$rejects
  accept domains = +ours
  deny   message = relay not permitted

begin routers
everyone:
  driver = accept
  domains = +ours
  transport = one_maildir

begin transports
one_maildir:
  driver = appendfile
  directory = /var/mail/all
  maildir_format
  return_path_add
  envelope_to_add
  delivery_date_add
  user = Debian-exim
""")


class EximPrimary(Primary):
    """Stock Exim, which has every recipient of its domains share one Maildir."""

    def _make_directory(self) -> TemporaryDirectory[str]:
        stock = peers_directory() / "exim"
        if not (stock / "usr/sbin/exim4").exists():
            missing(f"Exim is not in {stock}: run ci/install-peers")
        require_root()
        # Beside the stock tree, because /tmp often forbids devices and set-user-id programs.
        directory = TemporaryDirectory(dir=peers_directory(), prefix="run-")
        self._top = Path(directory.name)
        shutil.copytree(stock, self._top, copy_function=os.link, dirs_exist_ok=True)
        self._top.chmod(0o755)
        for path in ("var/mail", "var/spool/exim4", "var/log"):
            self._own(self._top / path)
        self.log_path = self._top / "var/log/mainlog"
        self.log_path.touch()
        self._give_to_exim(self.log_path)
        self.mailbox = Maildir(self._top / "var/mail/all")
        return directory

    def _configure(self) -> list[str | Path]:
        settings = self._own_settings() | self._tls_settings() | self.settings
        (self._top / "etc/exim4/exim4.conf").write_text(
            CONFIGURATION.substitute(
                settings="\n".join(f"{name} = {value}" for name, value in settings.items()),
                domains=" : ".join(self.domains),
                rejects="\n".join(_rejection(path, reply) for path, reply in self.rejects.items()),
            )
        )
        return [require("chroot"), self._top, "/usr/sbin/exim4", "-bdf", "-q10s"]

    def _own_settings(self) -> dict[str, str]:
        return {
            "primary_hostname": self.hostname,
            "local_interfaces": self.address,
            "daemon_smtp_ports": str(self.port),
            "log_file_path": "/var/log/%slog",  # mainlog, and its extracts rejectlog and paniclog
            "keep_environment": "",
            # Stock Exim leaves mail after the tenth message of a connection to the next queue run.
            "smtp_accept_queue_per_connection": "0",
        }

    def _tls_settings(self) -> dict[str, str]:
        if self.keys is None:
            return {"tls_advertise_hosts": ""}  # or Exim makes itself a key for each connection
        inside = {"tls_certificate": self.keys.certificate, "tls_privatekey": self.keys.key}
        for name, file in inside.items():
            self._give_to_exim(Path(shutil.copyfile(file, self._top / "etc/exim4" / name)))
        return {name: f"/etc/exim4/{name}" for name in inside}

    def _own(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._give_to_exim(directory)

    def _give_to_exim(self, path: Path) -> None:
        os.chown(path, EXIM_USER, EXIM_USER)


def _rejection(path: str, reply: str) -> str:
    verb = "deny " if reply.startswith("5") else "defer"
    return f"  {verb}  recipients = {path}\n         message = {reply}"
