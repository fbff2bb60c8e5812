"""Pebble, the test authority of the authors of ACME: it validates over HTTP-01 and issues."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Self

from tests.acceptance.certificates import Authority
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.ports import free_port, is_free
from tests.acceptance.peers.programs import require

HOST: Final = "127.0.0.1"
TERMS: Final = "data:text/plain,Do%20what%20thou%20wilt"


class Pebble:
    """Runs while its `with` lasts. It refuses one nonce in twenty."""

    def __init__(self, http_port: int, name_server: int) -> None:
        """It asks `http_port` of the address that the name server has for a name."""
        self._directory = TemporaryDirectory(prefix="pebble-")
        folder = Path(self._directory.name)
        authority = Authority(folder, "web")
        keys = authority.issue("localhost")
        self.authority = authority.file
        self.port = free_port(HOST)
        settings = {
            "listenAddress": f"{HOST}:{self.port}",
            "managementListenAddress": f"{HOST}:{free_port(HOST)}",
            "certificate": str(keys.certificate),
            "privateKey": str(keys.key),
            "httpPort": http_port,
            "tlsPort": free_port(HOST),
        }
        self._config = folder / "pebble.json"
        self._config.write_text(json.dumps({"pebble": settings}))
        self._name_server = f"{HOST}:{name_server}"
        self._log = folder / "log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def directory(self) -> str:
        """The URL to configure."""
        return f"https://localhost:{self.port}/dir"

    @property
    def log(self) -> str:
        """Everything that it said."""
        return self._log.read_text()

    def __enter__(self) -> Self:
        command = [require("pebble"), "-config", str(self._config)]
        command += ["-dnsserver", self._name_server]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                env={**os.environ, "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "5"},
            )
        eventually(lambda: not is_free(HOST, self.port), what="pebble to listen")
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait()
        self._directory.cleanup()
