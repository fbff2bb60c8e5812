"""aiosmtpd as a primary: its command line, with its own Maildir handler."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.acceptance.peers.mailbox import Maildir
from tests.acceptance.peers.plain import PlainPrimary


class AiosmtpdPrimary(PlainPrimary):
    """Stock aiosmtpd, from the project's virtual environment. It accepts mail for any domain."""

    def _make_directory(self) -> TemporaryDirectory[str]:
        directory = TemporaryDirectory(prefix="restante-aiosmtpd-")
        self._top = Path(directory.name)
        self.log_path = self._top / "log"
        self.log_path.touch()
        self.mailbox = Maildir(self._top / "mail")
        return directory

    def _configure(self) -> list[str | Path]:
        where = f"{self.address}:{self.port}"
        handler = "aiosmtpd.handlers.Mailbox"
        mail = self._top / "mail"
        return [sys.executable, "-m", "aiosmtpd", "-n", "-l", where, "-c", handler, mail]
