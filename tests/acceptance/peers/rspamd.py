"""rspamd as a milter and over HTTP: Debian's configuration, its directories and ports our own."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Self

from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.ports import free_port
from tests.acceptance.peers.process_group import ProcessGroup
from tests.acceptance.peers.programs import missing, require, require_root

ADDRESS: Final = "127.0.0.1"
STOCK: Final = Path("/etc/rspamd/rspamd.conf")
USER: Final = "_rspamd"
_NOT_NEEDED: Final = ("worker-controller.inc", "worker-fuzzy.inc")


class RspamdMilter:
    """Runs while its `with` lasts. It asks one name server and nothing else."""

    def __init__(self, name_server_port: int, local: dict[str, str]) -> None:
        """`local`: the text of further files in local.d, by their names.

        Its options.inc follows ours.
        """
        require("rspamd")
        if not STOCK.exists():
            missing(f"{STOCK} is not there: run ci/install-peers")
        require_root()
        self.port = free_port(ADDRESS)
        self.http_port = free_port(ADDRESS)
        self._directory = TemporaryDirectory(prefix="restante-rspamd-")
        top = self._top = Path(self._directory.name)
        top.chmod(0o755)
        (top / "local.d").mkdir()
        dns = f'nameserver = ["{ADDRESS}:{name_server_port}"]; timeout = 1s; retransmits = 1;'
        # Compiling the 9,600 suffixes that it comes with takes most of its start.
        options = f'dns {{ {dns} }}\ndisable_hyperscan = true;\nurl_tld = "{top}/suffixes";\n'
        files = {
            "logging.inc": 'level = "info";\n',
            "worker-proxy.inc": f'bind_socket = "{ADDRESS}:{self.port}";\n'
            'upstream "local" { default = yes; self_scan = yes; }\ncount = 1;\n',
            "worker-normal.inc": f'bind_socket = "{ADDRESS}:{self.http_port}";\ncount = 1;\n',
            **dict.fromkeys(_NOT_NEEDED, "enabled = false;\n"),
            **local,
        }
        files["options.inc"] = options + local.get("options.inc", "")
        for name, text in files.items():
            (top / "local.d" / name).write_text(text)
        (top / "suffixes").write_text("example\ncom\nnet\norg\n")
        for name in ("run", "db", "log"):
            (top / name).mkdir()
            shutil.chown(top / name, USER)
        self.log_path = top / "output"
        self.log_path.touch()
        self._processes = ProcessGroup(self.log_path)

    def __enter__(self) -> Self:
        places = {
            "LOCAL_CONFDIR": self._top,
            "RUNDIR": self._top / "run",
            "DBDIR": self._top / "db",
            "LOGDIR": self._top / "log",
        }
        variables = [f"--var={name}={place}" for name, place in places.items()]
        self._processes.start(["rspamd", "-f", "-u", USER, "-g", USER, "-c", STOCK, *variables])
        eventually(self._listens, what="rspamd to listen")
        return self

    def __exit__(self, *_: object) -> None:
        self._processes.stop()
        self._directory.cleanup()

    def _listens(self) -> bool:
        assert self._processes.is_running, self.log_path.read_text()
        try:
            for port in (self.port, self.http_port):
                socket.create_connection((ADDRESS, port), timeout=1).close()
        except OSError:
            return False
        return True

    @property
    def settings(self) -> dict[str, str]:
        """The settings with which Postfix asks it."""
        return {"smtpd_milters": f"inet:{ADDRESS}:{self.port}", "milter_default_action": "tempfail"}

    def log(self) -> str:
        """Return its log."""
        return (self._top / "log" / "rspamd.log").read_text(errors="replace")
