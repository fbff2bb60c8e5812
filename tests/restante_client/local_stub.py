"""A mail server of the customer's machine, as small as it can be, with faults on demand."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from io import BufferedRWPair
from typing import Self


class LocalStub:
    """Takes mail by DATA and BDAT, one session after another. `with` starts and stops it."""

    def __init__(self, *greetings: str, replies: dict[str, str] | None = None) -> None:
        """`greetings`: of the first sessions; later ones are greeted with 220.

        `replies`: by the beginning of a command; CONTENT is for the end of a message.
        """
        self.heard: list[str] = []
        self.contents: list[bytes] = []
        self.sessions = 0
        self._greetings = [*greetings]
        self._replies = replies or {}
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.sessions += 1
            connection.settimeout(60)
            with connection, connection.makefile("rwb") as stream, suppress(OSError):
                self._converse(stream)

    def _say(self, stream: BufferedRWPair, text: str) -> None:
        stream.write(f"{text}\r\n".encode())
        stream.flush()

    def _converse(self, stream: BufferedRWPair) -> None:
        self._say(stream, self._greetings.pop(0) if self._greetings else "220 local ESMTP")
        while line := stream.readline().decode():
            command = line.rstrip("\r\n")
            self.heard.append(command)
            verb = command.split(" ")[0].upper()
            if verb == "BDAT":
                self._chunk(stream, command)
                continue
            reply = self._reply(command, verb)
            self._say(stream, reply)
            if verb == "DATA" and reply.startswith("354"):
                self._content(stream)
            if verb == "QUIT":
                return

    def _reply(self, command: str, verb: str) -> str:
        for beginning, reply in self._replies.items():
            if command.upper().startswith(beginning):
                return reply
        return {
            "EHLO": "250-local\r\n250-PIPELINING\r\n250 CHUNKING",
            "DATA": "354 go on",
            "QUIT": "221 bye",
        }.get(verb, "250 OK")

    def _content(self, stream: BufferedRWPair) -> None:
        content = b""
        while (line := stream.readline()) != b".\r\n":
            if not line:
                return
            content += line[1:] if line.startswith(b".") else line
        self._store(stream, content)

    def _chunk(self, stream: BufferedRWPair, command: str) -> None:
        size = int(command.split(" ")[1])
        octets = stream.read(size)
        if len(octets) < size:
            return
        if command.upper().endswith("LAST"):
            self._store(stream, octets)
        else:
            self._say(stream, "250 chunk")

    def _store(self, stream: BufferedRWPair, content: bytes) -> None:
        reply = self._replies.get("CONTENT", "250 taken")
        if reply.startswith("250"):
            self.contents.append(content)
        self._say(stream, reply)
