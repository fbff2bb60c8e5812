"""Syslog for the log: datagrams to the local socket of a syslog server (RFC 5424).

There is no network in it. If the socket is full, a write waits for SEND_SECONDS at most.
"""

import errno
import os
import select
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from restante.telemetry.log_line import LogLine
from restante.telemetry.log_output import LinesUnwritten
from restante.telemetry.syslog_message import syslog_messages

SEND_SECONDS: Final = 0.02  # all mail waits meanwhile, at most once in RETRY_SECONDS
# The server was started again, and has made a new socket.
_IS_GONE: Final = (errno.ECONNREFUSED, errno.ECONNRESET, errno.ENOTCONN, errno.EPIPE)


class SyslogOutput:
    """Sends each row of a line as a message."""

    def __init__(self, path: Path, hostname: str) -> None:
        """`hostname` is the one in the messages."""
        self._path = path
        self._hostname = hostname
        self._open: socket.socket | None = None

    def write(self, lines: Sequence[LogLine]) -> None:
        """Send lines. Raises LinesUnwritten."""
        process = os.getpid()
        for place, line in enumerate(lines):
            try:
                for message in syslog_messages(line, self._hostname, process):
                    self._send(message)
            except OSError as error:
                self.reopen()
                raise LinesUnwritten(error, lines[place:]) from None

    def reopen(self) -> None:
        """Close the socket: the next lines connect again."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _send(self, message: bytes) -> None:
        try:
            self._connected().send(message)
        except BlockingIOError:
            if not self._waits_for_room():
                raise
            self._connected().send(message)
        except OSError as error:
            if error.errno not in _IS_GONE:
                raise
            self.reopen()
            self._connected().send(message)

    def _connected(self) -> socket.socket:
        if self._open is None:
            connecting = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            connecting.setblocking(False)
            try:
                connecting.connect(str(self._path))
            except OSError:
                connecting.close()
                raise
            self._open = connecting
        return self._open

    def _waits_for_room(self) -> bool:
        _, writable, _ = select.select([], [self._connected()], [], SEND_SECONDS)
        return bool(writable)
