"""Cyrus SASL as stock Postfix uses it: a password database, and a stand-in for saslauthd.

Debian's packages `libsasl2-modules` and `sasl2-bin` provide the mechanisms and `saslpasswd2`.
"""

from __future__ import annotations

import shutil
import socketserver
import struct
import subprocess
from pathlib import Path
from typing import Final

from tests.acceptance.peers.postfix import PostfixPrimary
from tests.acceptance.peers.programs import require
from tests.acceptance.peers.server import Login
from tests.acceptance.threaded import Threaded

REALM: Final = "primary.example"
_LENGTH: Final = struct.Struct(">H")


def offers_auth(
    postfix: PostfixPrimary,
    login: Login,
    mechanisms: str,
    *,
    authority: PasswordAuthority | None = None,
) -> None:
    """Have a Postfix that is off offer these mechanisms, separated by blanks, under TLS.

    SCRAM and CRAM-MD5 read the password of `login` in a database. With an `authority`, PLAIN and
    LOGIN ask that one instead.
    """
    directory = postfix.sasl_directory  # where Debian's Postfix looks for smtpd.conf
    directory.mkdir()
    database = directory / "sasldb2"
    command = [require("saslpasswd2"), "-p", "-c", "-f", str(database), "-u", REALM, login.user]
    subprocess.run(command, input=login.password, encoding="utf-8", check=True, timeout=60)
    shutil.chown(database, "postfix")
    check = (
        f"pwcheck_method: saslauthd\nsaslauthd_path: {authority.path}"
        if authority
        else "pwcheck_method: auxprop"
    )
    lines = [
        check,
        "auxprop_plugin: sasldb",
        f"sasldb_path: {database}",
        f"mech_list: {mechanisms}",
        "",
    ]
    (directory / "smtpd.conf").write_text("\n".join(lines))
    postfix.settings |= {
        "smtpd_sasl_auth_enable": "yes",
        "smtpd_sasl_local_domain": REALM,
        "smtpd_tls_auth_only": "yes",
        "smtpd_sasl_security_options": "noanonymous",
    }


def lock_database(postfix: PostfixPrimary) -> None:
    """Make the database unreadable for Postfix, the default of Debian: SCRAM then gets 454."""
    shutil.chown(postfix.sasl_directory / "sasldb2", "root")


class PasswordAuthority(Threaded):
    """Answers like saslauthd for one login: user, password, service and realm in; OK or NO out."""

    def __init__(self, path: Path, login: Login) -> None:
        """`path` is that of the socket."""
        self.path = path
        self.asked = 0
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                user, password, _service, _realm = (self._text() for _ in range(4))
                outer.asked += 1
                answer = b"OK" if (user, password) == (login.user, login.password) else b"NO"
                self.wfile.write(_LENGTH.pack(len(answer)) + answer)

            def _text(self) -> str:
                (length,) = _LENGTH.unpack(self.rfile.read(_LENGTH.size))
                return self.rfile.read(length).decode()

        self._server = socketserver.ThreadingUnixStreamServer(str(path), Handler)
        path.chmod(0o666)
        path.parent.chmod(0o755)
