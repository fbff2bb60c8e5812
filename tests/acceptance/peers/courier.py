"""Courier as a primary: Debian's binaries in a tree of their own."""

from __future__ import annotations

from pathlib import Path
from string import Template
from typing import Final

from tests.acceptance.peers.plain import TreePrimary

SPOOL: Final = "var/lib/courier"

# The programs that Debian's init scripts start, in the foreground, with the package's limits.
START: Final = Template("""\
set -a
PATH=/usr/bin:/bin SHELL=/bin/sh
DYNAMICDELIVERIES=1 DEFAULTDELIVERY=./Maildir MAILDROPDEFAULT=./Maildir DSNTOAUTHADDR=0
BOFHCHECKDNS=0 BOFHNOEXPN=1 BOFHNOVRFY=1 TARPIT=1 NOADDMSGID=1 NOADDDATE=1
/usr/lib/courier/courier-authlib/authdaemond &
/usr/lib/courier/courier/courierd &
exec /usr/sbin/couriertcpd -noidentlookup -nodnslookup -user=courier -group=courier \\
    -address=$address -maxprocs=40 -maxperc=5 -maxperip=5 $port /usr/sbin/courieresmtpd
""")


class CourierPrimary(TreePrimary):
    """Stock Courier, which has every recipient of its domains share one Maildir."""

    tree = "courier"
    directories = tuple(
        f"{SPOOL}{below}"
        for below in (
            "",
            "/msgs",
            "/msgq",
            "/tmp",
            "/tmp/broken",
            "/track",
            "/filters",
            "/allfilters",
        )
    )

    def _configure(self) -> list[str | Path]:
        lines = "".join(f"{domain}\n" for domain in self.domains)
        for name, text in {
            "me": f"{self.hostname}\n",
            "defaultdomain": f"{self.hostname}\n",
            "dsnfrom": "mailer-daemon\n",
            "locals": lines,
            "esmtpacceptmailfor": lines,
            "aliasdir/.courier-default": "/var/mail/all/\n",
            "authdaemonrc": 'authmodulelist="authuserdb"\n'
            'authmodulelistorig="authuserdb"\n'
            "daemons=2\n"
            "authdaemonvar=/run/courier/authdaemon\n",
        }.items():
            self._write(f"etc/courier/{name}", text)
        (self._top / "run/courier/authdaemon").mkdir(parents=True, exist_ok=True)
        values = {"address": self.address, "port": self.port}
        self._write("start", START.substitute(values), mode=0o755)
        return self._in_tree("/bin/sh", "/start")
