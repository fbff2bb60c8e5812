"""Postfix as a primary: Debian's binaries and master.cf, with every directory our own."""

from __future__ import annotations

import os
import pwd
import re
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.acceptance.peers.mailbox import Maildir
from tests.acceptance.peers.primary import Primary
from tests.acceptance.peers.programs import missing, require, require_root, run

DAEMONS: Final = Path("/usr/lib/postfix/sbin")
STOCK_MASTER: Final = Path("/usr/share/postfix/master.cf.dist")
LISTENER: Final = re.compile(r"^smtp +inet ", re.MULTILINE)
CHROOT: Final = re.compile(r"^(\S+ +(?:inet|unix|unix-dgram) +\S +\S +)y", re.MULTILINE)
DELIVERING_USER: Final = "nobody"


class PostfixPrimary(Primary):
    """Stock Postfix, which has every recipient of its domains share one Maildir."""

    def _make_directory(self) -> TemporaryDirectory[str]:
        require("postfix")
        if not STOCK_MASTER.exists():
            missing(f"{STOCK_MASTER} is not there: Postfix must be Debian's, run ci/install-peers")
        require_root()
        # Not pytest's tmp_path: that is closed to the users which Postfix's processes drop to.
        directory = TemporaryDirectory(prefix="restante-postfix-")
        self._top = Path(directory.name)
        self._top.chmod(0o755)
        for name, user in (
            ("etc", "root"),
            ("queue", "root"),
            ("data", "postfix"),
            ("mail", DELIVERING_USER),
        ):
            (self._top / name).mkdir()
            shutil.chown(self._top / name, user)
        self.log_path = self._top / "log"
        self.log_path.touch()
        shutil.chown(
            self.log_path, "postfix"
        )  # while the log daemon is off, programs write it themselves
        self.mailbox = Maildir(self._top / "mail" / "all")
        return directory

    @property
    def sasl_directory(self) -> Path:
        """Where Debian's Postfix looks for the configuration of Cyrus SASL; not there at first."""
        return self._top / "etc" / "sasl"

    def _configure(self) -> list[str | Path]:
        etc = self._top / "etc"
        settings = self._own_settings() | self._tls_settings() | self.settings
        (etc / "main.cf").write_text(
            "".join(f"{name} = {value}\n" for name, value in settings.items())
        )
        os.utime(
            etc / "main.cf", (0, 0)
        )  # Postfix waits until a fresh one is two seconds old: it might still change
        (etc / "master.cf").write_text(self._master())
        checked = run(
            "postfix", "-c", etc, "check"
        )  # which also makes the directories of the queue
        assert checked.returncode == 0, f"{checked.stdout}{self._log_end()}"
        return [DAEMONS / "master", "-c", etc, "-s"]

    def _master(self) -> str:
        """Debian's services, except for the listener's port. No chroot: it needs files of /etc."""
        with_port = LISTENER.sub(f"{self.address}:{self.port} inet ", STOCK_MASTER.read_text())
        return CHROOT.sub(r"\1n", with_port)

    def _own_settings(self) -> dict[str, str]:
        return self._places() | self._manners() | self._mailboxes() | self._refusals()

    def _places(self) -> dict[str, str]:
        return {
            "compatibility_level": "3.6",
            "queue_directory": str(self._top / "queue"),
            "data_directory": str(self._top / "data"),
            "maillog_file": str(self.log_path),
            "maillog_file_prefixes": str(self._top),
            "inet_interfaces": "loopback-only",  # master.cf names the one address to listen on
            "inet_protocols": "ipv4",
            "myhostname": self.hostname,
        }

    def _manners(self) -> dict[str, str]:
        return {
            # We connect from loopback, but act as an Internet host: neither trusted nor local.
            "mynetworks": "",
            "local_header_rewrite_clients": "",
            "smtpd_peername_lookup": "no",
            # A primary in a test sends nothing out, no bounce either.
            "default_transport": "error:5.4.4 no mail leaves this test",
            "notify_classes": "",
        }

    def _mailboxes(self) -> dict[str, str]:
        user = pwd.getpwnam(DELIVERING_USER)
        return {
            "mydestination": "",
            "alias_maps": "",
            "local_recipient_maps": "",
            "virtual_mailbox_domains": " ".join(self.domains),
            "virtual_mailbox_base": str(self._top / "mail"),
            "virtual_mailbox_maps": "static:all/",
            "virtual_mailbox_limit": "0",  # leaves message_size_limit as the only limit
            "virtual_minimum_uid": "1",
            "virtual_uid_maps": f"static:{user.pw_uid}",
            "virtual_gid_maps": f"static:{user.pw_gid}",
        }

    def _refusals(self) -> dict[str, str]:
        if not self.rejects:
            return {}
        table = ", ".join(f"{{ {path} = {reply} }}" for path, reply in self.rejects.items())
        return {"smtpd_recipient_restrictions": f"check_recipient_access inline:{{ {table} }}"}

    def _tls_settings(self) -> dict[str, str]:
        if self.keys is None:
            return {}
        return {
            "smtpd_tls_security_level": "may",
            "smtpd_tls_cert_file": str(self.keys.certificate),
            "smtpd_tls_key_file": str(self.keys.key),
            "smtpd_tls_loglevel": "1",
        }
