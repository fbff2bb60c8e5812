"""A primary that chooses its reply to a recipient by the beginning of the local part.

It can keep silent for any time. It serves one connection after another, each in a thread, in plain
SMTP without extensions. So the result for a message does not depend on the machine's speed.
"""

from __future__ import annotations

import contextlib
import socket
import socketserver
from collections.abc import Mapping
from typing import Final

from tests.acceptance.threaded import Threaded

PATIENCE: Final = 60.0  # seconds, after which even a connection that nobody ends is left
SILENCE: Final = ""  # in place of a reply: no more is said


class ChoosyPrimary(Threaded):
    """Listens on a port of its own while the `with` lasts."""

    def __init__(self, replies: Mapping[str, str]) -> None:
        """`replies` to RCPT, by the beginning of the path. All other recipients are accepted."""
        self.address = "127.0.0.1"
        self.replies = replies
        self.taken: list[str] = []  # forward-paths, in the order in which their mail came
        self.kept_waiting: list[str] = []  # forward-paths that got no reply
        self._silent: list[socket.socket] = []
        self._server = _Listener((self.address, 0), _Talk)
        self._server.primary = self

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def hang_up(self) -> None:
        """Speak again with nobody: connections that are kept waiting end."""
        for connection in self._silent:
            with contextlib.suppress(OSError):  # the other side was first
                connection.shutdown(socket.SHUT_RDWR)

    def keep_silent(self, connection: socket.socket) -> None:
        """Say nothing until the other side goes."""
        self._silent.append(connection)
        while connection.recv(4096):
            pass

    def reply_to(self, path: str) -> str:
        """Return what RCPT is answered with."""
        return next(
            (reply for start, reply in self.replies.items() if path.startswith(start)),
            "250 2.1.5 OK",
        )


class _Listener(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True  # one that keeps silent ends with the other side, whenever that is
    block_on_close = False
    primary: ChoosyPrimary


class _Talk(socketserver.StreamRequestHandler):
    timeout = PATIENCE
    server: _Listener

    def handle(self) -> None:
        """Answer until the other side has had enough."""
        with contextlib.suppress(OSError):
            self._say("220 choosy.example ESMTP")
            self._paths: list[str] = []
            while line := self.rfile.readline().decode().rstrip("\r\n"):
                if not self._obey(line):
                    return

    def _obey(self, line: str) -> bool:
        primary = self.server.primary
        match line[:4].upper():
            case "MAIL":
                self._paths = []
            case "RCPT":
                return self._admit(line.partition("<")[2].partition(">")[0])
            case "DATA":
                self._say("354 go on")
                while self.rfile.readline() != b".\r\n":
                    pass
                primary.taken += self._paths
            case "QUIT":
                self._say("221 bye")
                return False
        self._say("250 OK")
        return True

    def _admit(self, path: str) -> bool:
        reply = self.server.primary.reply_to(path)
        if reply == SILENCE:
            self.server.primary.kept_waiting.append(path)
            self.server.primary.keep_silent(self.connection)
            return False
        if reply.startswith("2"):
            self._paths.append(path)
        self._say(reply)
        return True

    def _say(self, reply: str) -> None:
        self.wfile.write(f"{reply}\r\n".encode())
