"""A receiver of notices that never ends its answer: it sends header fields without end."""

from __future__ import annotations

import socketserver
import threading
from typing import Final

from tests.acceptance.threaded import Threaded

HOST: Final = "127.0.0.1"
BETWEEN_FIELDS: Final = 1.0  # seconds: no limit on one read is met


class HangingReceiver(Threaded):
    """Listens while its `with` lasts."""

    def __init__(self) -> None:
        self.asked, self.left = threading.Event(), threading.Event()
        receiver, over = self, threading.Event()

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                self.request.recv(65536)
                receiver.asked.set()
                try:
                    self.request.sendall(b"HTTP/1.1 200 OK\r\n")
                    while not over.wait(BETWEEN_FIELDS):
                        self.request.sendall(b"X: y\r\n")
                except OSError:
                    receiver.left.set()

        class Server(socketserver.ThreadingTCPServer):
            def server_close(self) -> None:
                over.set()
                super().server_close()

        self._server = Server((HOST, 0), Handler)

    def url(self, transport: str) -> str:
        """Where notices are to go, by a transport."""
        scheme = {"webhook": "http", "apprise": "json"}[transport]
        return f"{scheme}://{HOST}:{self._server.server_address[1]}/"
