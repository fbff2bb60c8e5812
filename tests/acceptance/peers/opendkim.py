"""OpenDKIM as a milter: it refuses mail without a signature."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Self

from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.process_group import ProcessGroup
from tests.acceptance.peers.programs import require

_SETTINGS: Final = """
Mode v
Socket local:{top}/socket
UMask 000
PidFile {top}/pid
PeerList {top}/peers
On-NoSignature reject
Syslog no
"""


class OpenDkim:
    """Runs while its `with` lasts. It takes all mail of the peers unseen."""

    def __init__(self, peers: list[str]) -> None:
        require("opendkim")
        self._directory = TemporaryDirectory(prefix="restante-opendkim-")
        self._top = Path(self._directory.name)
        (self._top / "peers").write_text("".join(f"{peer}\n" for peer in peers))
        (self._top / "conf").write_text(_SETTINGS.format(top=self._top))
        self._log = self._top / "output"
        self._log.touch()
        self._processes = ProcessGroup(self._log)

    def __enter__(self) -> Self:
        self._processes.start(["opendkim", "-f", "-x", self._top / "conf"])
        eventually(self.socket.exists, what=f"OpenDKIM to listen {self._log.read_text()}")
        return self

    def __exit__(self, *_: object) -> None:
        self._processes.stop()
        self._directory.cleanup()

    @property
    def socket(self) -> Path:
        """Its Unix socket."""
        return self._top / "socket"
