"""Servers of our own that run in a thread of the test."""

from __future__ import annotations

import socketserver
import threading
from typing import Final, Self

POLL: Final = 0.05  # seconds: how soon one ends


class Threaded:
    """Serves `_server` while its `with` lasts."""

    _server: socketserver.TCPServer  # or UDPServer, which is one
    _thread: threading.Thread

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(POLL,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
