"""Sendmail as a primary: Debian's binary, and its own m4 files for the configuration."""

from __future__ import annotations

from pathlib import Path
from string import Template
from typing import Final

from tests.acceptance.peers.plain import TreePrimary
from tests.acceptance.peers.programs import run

SOURCE: Final = Template("""\
include(`/usr/share/sendmail/cf/m4/cf.m4')dnl
OSTYPE(`linux')dnl
define(`confDOMAIN_NAME', `$hostname')dnl
define(`confSERVICE_SWITCH_FILE', `/etc/service.switch')dnl
define(`confPID_FILE', `/run/sendmail.pid')dnl
define(`confDEF_USER_ID', `8:8')dnl
define(`confTO_IDENT', `0')dnl
define(`QUEUE_DIR', `/var/spool/mqueue')dnl
define(`STATUS_FILE', `')dnl
define(`ALIAS_FILE', `')dnl
dnl # Without the flag m, which gives several recipients one copy, and w, which asks for accounts.
define(`LOCAL_MAILER_PATH', `/bin/deliver')dnl
define(`LOCAL_MAILER_ARGS', `deliver $$u')dnl
define(`LOCAL_MAILER_FLAGS', `Prn9')dnl
define(`_DEF_LOCAL_MAILER_FLAGS', `lsDFMq')dnl
FEATURE(`nocanonify')dnl
FEATURE(`accept_unresolvable_domains')dnl
FEATURE(`no_default_msa')dnl
DAEMON_OPTIONS(`Name=MTA, Addr=$address, Port=$port')dnl
MAILER(`local')dnl
MAILER(`smtp')dnl
LOCAL_CONFIG
Cw$domains
""")


class SendmailPrimary(TreePrimary):
    """Stock Sendmail, which has every recipient of its domains share one Maildir."""

    tree = "sendmail"

    def _configure(self) -> list[str | Path]:
        source = SOURCE.substitute(
            hostname=self.hostname,
            address=self.address,
            port=self.port,
            domains=" ".join(self.domains),
        )
        self._write("etc/mail/sendmail.mc", source)
        self._write("etc/service.switch", "hosts files\n")
        (self._top / "var/spool/mqueue").mkdir(mode=0o700, parents=True, exist_ok=True)
        (self._top / "run").mkdir(exist_ok=True)
        made = run("chroot", self._top, "m4", "/etc/mail/sendmail.mc")
        assert made.returncode == 0, made.stdout
        self._write("etc/mail/sendmail.cf", made.stdout)
        program = "/usr/libexec/sendmail/sendmail"
        return self._in_tree(program, "-C/etc/mail/sendmail.cf", "-bD", "-q10s")
