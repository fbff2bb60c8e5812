"""A primary that demands our login under TLS, and repeats it in its reply, as some servers do."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from types import TracebackType
from typing import Self

from tests.acceptance.peers.primary import KeyPair


class AskingDestination:
    """Listens on a port of its own while the `with` lasts. Nobody ever gets in."""

    def __init__(self, keys: KeyPair) -> None:
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(keys.certificate, keys.key)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address, self.port = self._listener.getsockname()
        self._thread = threading.Thread(target=self._serve, name="asking destination")
        self.heard: list[bytes] = []  # AUTH commands

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # the listener was shut down
            while True:
                connection, _ = self._listener.accept()
                with contextlib.suppress(OSError), connection:
                    connection.settimeout(90)
                    connection.sendall(b"220 asking.example\r\n")
                    self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        while command := self._command(connection):
            match command.split()[0].upper():
                case b"EHLO" if isinstance(connection, ssl.SSLSocket):
                    connection.sendall(b"250-asking.example\r\n250 AUTH PLAIN\r\n")
                case b"EHLO":
                    connection.sendall(b"250-asking.example\r\n250 STARTTLS\r\n")
                case b"STARTTLS":
                    connection.sendall(b"220 go on\r\n")
                    with self._context.wrap_socket(connection, server_side=True) as secure:
                        self._talk(secure)
                    return
                case b"AUTH":
                    self.heard.append(command)
                    connection.sendall(b"535 5.7.8 not understood: " + command + b"\r\n")
                case _:
                    connection.sendall(b"221 bye\r\n")
                    return

    def _command(self, connection: socket.socket) -> bytes:
        line = b""
        while not line.endswith(b"\r\n"):
            piece = connection.recv(4096)
            if not piece:
                return b""
            line += piece
        return line.removesuffix(b"\r\n")
