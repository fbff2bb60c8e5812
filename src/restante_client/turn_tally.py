"""Count the messages of a turnaround while its octets pass. Nothing is changed or held back.

The provider's commands and the local server's replies are matched by position, as in RFC 2920. When
something does not fit, the counting ends and `is_exact` is False. Memory is bounded: a line counts
by its first octets only, and at most MAX_WAITING commands wait for replies.
"""

from __future__ import annotations

import re
from collections import deque

from restante_client.client_failure import shown

MAX_WAITING = 100_000
_HEAD = 600  # octets kept of a line
_CONTENT_END = b"."
_BDAT = re.compile(rb"BDAT +([0-9]{1,18})( +LAST)? *\Z", re.IGNORECASE)
_GO_ON = 354
_POSITIVE = range(200, 300)
_TEMPORARY = range(400, 500)
_CLOSING = 221
_OUT_OF_ORDER = 503  # the rest of a flight whose MAIL or RCPT was refused
_CODE_LENGTH = 3
# A provider may try BDAT without a recipient, to see how the server answers: no message is lost.
_TRIAL = "TRIAL"
_NO_MESSAGE = (_TRIAL, "RSET")  # behind MAIL
_BEGINS = ("MAIL", "RSET", "EHLO", "HELO")


class TurnTally:
    """Counts the messages of one session by the local server's replies."""

    def __init__(self) -> None:
        self.delivered = 0
        self.deferred = 0  # the server said 4xx: the provider tries again
        self.refused = 0  # the server said 5xx to content or to a recipient
        self.first_refusal = ""
        self.first_deferral = ""
        self.is_exact = True
        self.is_closed = False  # the server answered QUIT: the session came to its end
        self._waiting: deque[str] = deque(["GREETING"])
        self._command = b""
        self._reply = b""
        self._chunk = 0  # octets of BDAT that are still to come
        self._is_content = False  # of DATA
        self._has_recipient = False  # of the transaction that the provider has open

    def take_commands(self, octets: bytes) -> None:
        """Take octets of the provider."""
        while octets and self.is_exact:
            if self._chunk:
                taken = min(self._chunk, len(octets))
                self._chunk -= taken
                octets = octets[taken:]
                continue
            head, mark, rest = octets.partition(b"\n")
            self._command = (self._command + head)[:_HEAD]
            if mark:
                line, self._command = self._command.rstrip(b"\r"), b""
                self._take_line(line)
            octets = rest

    def take_replies(self, octets: bytes) -> None:
        """Take octets of the local server."""
        while octets and self.is_exact:
            head, mark, octets = octets.partition(b"\n")
            self._reply = (self._reply + head)[:_HEAD]
            if mark:
                line, self._reply = self._reply, b""
                self._take_reply(line)

    def _take_line(self, line: bytes) -> None:
        if self._is_content:
            if line == _CONTENT_END:
                self._is_content = False
                self._expect("CONTENT")
            return
        chunk = _BDAT.match(line)
        if chunk:
            self._chunk = int(chunk.group(1))
            last = "CONTENT" if self._has_recipient else _TRIAL
            self._expect(last if chunk.group(2) else "CHUNK")
        else:
            verb = line[:4].decode("ascii", "replace").upper()
            self._has_recipient = verb == "RCPT" or (self._has_recipient and verb not in _BEGINS)
            self._expect(verb)

    def _expect(self, command: str) -> None:
        self._waiting.append(command)
        if len(self._waiting) > MAX_WAITING:
            self.is_exact = False

    def _take_reply(self, line: bytes) -> None:
        code = line[:_CODE_LENGTH]
        if not (code.isdigit() and len(code) == _CODE_LENGTH):
            self.is_exact = False
            return
        if line[_CODE_LENGTH : _CODE_LENGTH + 1] == b"-":
            return
        if not self._waiting:
            self.is_exact = False
            return
        self._judge(self._waiting.popleft(), int(code), line)

    def _judge(self, command: str, code: int, line: bytes) -> None:
        if command == "DATA" and code == _GO_ON:
            self._is_content = True
        elif command == "QUIT":
            self.is_closed = code == _CLOSING
        elif command == "CONTENT" and code in _POSITIVE:
            self.delivered += 1
        elif command == "MAIL" and self._waiting and self._waiting[0] in _NO_MESSAGE:
            return
        elif command in ("CONTENT", "RCPT", "MAIL") and code not in (*_POSITIVE, _OUT_OF_ORDER):
            self._count_failure(code, line)

    def _count_failure(self, code: int, line: bytes) -> None:
        text = shown(line.decode("utf-8", "replace"))[:200]
        if code in _TEMPORARY:
            self.deferred += 1
            self.first_deferral = self.first_deferral or text
        else:
            self.refused += 1
            self.first_refusal = self.first_refusal or text
