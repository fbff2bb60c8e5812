"""A backup MX that answers from a script: for the asking side only."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field

GREETING = "220 mx2.example.net ESMTP"


@dataclass
class Script:
    """Its replies; the commands that it got are kept."""

    context: ssl.SSLContext
    is_implicit: bool = True
    greeting: str = GREETING
    features: list[str] = field(default_factory=lambda: ["ETRN", "AUTH PLAIN CRAM-MD5"])
    replies: dict[str, str] = field(
        default_factory=dict
    )  # by the beginning of a line, in upper case
    heard: list[str] = field(default_factory=list)
    port: int = 0

    def reply(self, line: str) -> str:
        for beginning, reply in self.replies.items():
            if line.upper().startswith(beginning):
                return reply
        if line.upper().startswith("EHLO"):
            return "\r\n".join(
                [
                    "250-mx2.example.net",
                    *(f"250-{feature}" for feature in self.features),
                    "250 SIZE",
                ]
            )
        return "221 bye" if line == "QUIT" else "250 OK"

    def turned(self, connection: socket.socket) -> None:
        """Be the client after a granted ATRN."""


@contextmanager
def answering(script: Script) -> Iterator[Script]:
    """Answer one session inside."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        script.port = listener.getsockname()[1]
        thread = threading.Thread(target=_serve, args=(script, listener))
        thread.start()
        yield script
        with socket.create_connection(
            ("127.0.0.1", script.port)
        ):  # for a test that never came so far
            pass
        thread.join()


def _serve(script: Script, listener: socket.socket) -> None:
    connection, _ = listener.accept()
    connection.settimeout(60)
    with suppress(OSError), ExitStack() as sockets:
        sockets.enter_context(connection)
        if script.is_implicit:
            connection = script.context.wrap_socket(connection, server_side=True)
            sockets.enter_context(connection)
        _converse(script, connection, sockets)


def _converse(script: Script, connection: socket.socket, sockets: ExitStack) -> None:
    """Answer until the end. Sockets that are made meanwhile are closed with the others."""
    connection.sendall(f"{script.greeting}\r\n".encode())
    stream = connection.makefile("rb")
    while line := stream.readline().decode():
        line = line.rstrip("\r\n")
        script.heard.append(line)
        connection.sendall(f"{script.reply(line)}\r\n".encode())
        if line == "STARTTLS" and script.reply(line).startswith("220"):
            stream.close()
            connection = script.context.wrap_socket(connection, server_side=True)
            sockets.enter_context(connection)
            stream = connection.makefile("rb")
        if line.upper().startswith("ATRN") and script.reply(line).startswith("250"):
            script.turned(connection)
            break
        if line == "QUIT":
            break
    stream.close()
