"""Primaries that accept every recipient of their domains, in a tree of their own or without one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar, Final

from tests.acceptance.peers.mailbox import Maildir
from tests.acceptance.peers.primary import Primary
from tests.acceptance.peers.programs import missing, peers_directory, require, require_root

MAIL_USER: Final = 8  # Debian's user "mail"; ci/install-peers gives the trees' users this number

# A mail server's delivery program: one file for each message, moved into the Maildir whole.
DELIVER: Final = """\
#!/bin/sh
set -e
file=$(/bin/mktemp {maildir}/tmp/XXXXXXXXXX)
/bin/cat >"$file"
/bin/mv "$file" {maildir}/new/
"""


class PlainPrimary(Primary):
    """A primary without rejects, certificate of the test's, or settings."""

    def __init__(
        self, domains: Sequence[str], *, address: str = "127.0.0.1", port: int | None = None
    ) -> None:
        """Prepare a primary without starting it. `address` is one of this machine's."""
        super().__init__(domains, address=address, port=port)


class TreePrimary(PlainPrimary):
    """One of Debian's mail servers in a copy of the tree that ci/install-peers has made.

    The server sees the copy as the root directory. Files are hard links, so a copy costs nothing;
    a file of the stock tree is therefore replaced (`_write`), never written into.
    """

    tree: ClassVar[str]
    directories: ClassVar[Sequence[str]] = ()  # made for the mail user, below the tree's top

    def _make_directory(self) -> TemporaryDirectory[str]:
        stock = peers_directory() / self.tree
        if not (stock / ".recipe").exists():
            missing(f"{stock} is not there: run ci/install-peers")
        require_root()
        # Beside the stock tree: that filesystem allows devices, which /tmp often does not.
        directory = TemporaryDirectory(dir=peers_directory(), prefix="run-")
        self._top = Path(directory.name)
        shutil.copytree(stock, self._top, copy_function=os.link, dirs_exist_ok=True, symlinks=True)
        self._top.chmod(0o755)
        maildir = "var/mail/all"
        for path in (*(f"{maildir}/{part}" for part in ("tmp", "new", "cur")), *self.directories):
            (self._top / path).mkdir(parents=True, exist_ok=True)
            self._give(path)
        self._give(maildir)
        self._write("bin/deliver", DELIVER.format(maildir=f"/{maildir}"), mode=0o755)
        self.log_path = self._top / "log"
        self.log_path.touch()
        self.mailbox = Maildir(self._top / maildir)
        return directory

    def _give(self, path: str) -> None:
        """Give a file or directory to the mail user."""
        os.chown(self._top / path, MAIL_USER, MAIL_USER)

    def _write(self, path: str, text: str, *, mode: int = 0o644) -> None:
        file = self._top / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        file.write_text(text)
        file.chmod(mode)

    def _in_tree(self, *command: str) -> list[str | Path]:
        return [require("chroot"), self._top, *command]
