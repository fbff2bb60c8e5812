"""OpenSMTPD as a primary: Debian's binaries in a tree of their own."""

from __future__ import annotations

from pathlib import Path
from string import Template
from typing import Final

from tests.acceptance.peers.plain import TreePrimary

CONFIGURATION: Final = Template("""\
table everyone { "@" = "mail" }
table ours { $domains }
listen on $address port $port hostname $hostname
action "keep" maildir "/var/mail/all" virtual <everyone>
match from any for domain <ours> action "keep"
""")


class OpensmtpdPrimary(TreePrimary):
    """Stock OpenSMTPD, which has every recipient of its domains share one Maildir."""

    tree = "opensmtpd"

    def _configure(self) -> list[str | Path]:
        text = CONFIGURATION.substitute(
            domains=", ".join(f'"{domain}"' for domain in self.domains),
            address=self.address,
            port=self.port,
            hostname=self.hostname,
        )
        self._write("etc/smtpd.conf", text)
        for path in ("var/run", "var/spool", "var/lib/opensmtpd/empty"):
            (self._top / path).mkdir(parents=True, exist_ok=True)
        return self._in_tree("/usr/sbin/smtpd", "-d", "-f", "/etc/smtpd.conf")
