"""The customers' own mail servers, good and bad: an SMTP server of a page without our code.

A connection can go wrong once: at one step, the nth time that it comes, in one way. After that the
server goes on as if nothing had been, if the connection still stands. Addresses that begin with
`nobody` are always refused. Some servers learn the client of mail, by the PROXY protocol or by
XCLIENT. Some defer the mail of one sender by policy until all is well. Some refuse the clients of a
network before their mail, or each recipient of it. All mail that gets a 250, or would have got it,
is in the books.
"""

import asyncio
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from restante.tenancy.model import ClientPassing
from tests.simulation.books import Books, Visit
from tests.simulation.network import Machine, Network
from tests.simulation.plan import BUSY, POLICED, UNWANTED, PlannedDomain
from tests.simulation.told_clients import NO_HEADER, read_proxy_header, xclient_address
from tests.simulation.trace import Trace

_STEPS: Final = ("GREETING", "EHLO", "MAIL", "RCPT", "DATA", "CONTENT", "CONTENT", "RSET", "QUIT")
_WAYS: Final = ("refuse", "defer", "busy", "close", "stall", "odd")
_WAYS_AFTER_CONTENT: Final = ("lose", "swallow", "deny", "half")
_XCLIENT: Final = "XCLIENT NAME REVERSE_NAME ADDR PORT HELO"
_ODD: Final = (
    "what? 250 ok",
    "250-one\r\n550 two",
    "2500 ok",
    "354 go ahead",
    "250 ok\r\n250 again",
    "299 hm",
    "",
)


_BY_POLICY: Final = "451 4.7.1 mail of this sender is not wanted now"
_BLOCKED: Final = "554 5.7.1 client host blocked"


@dataclass(frozen=True)
class Fault:
    """The faults of a connection."""

    step: str
    nth: int
    way: str


def draw_fault(dice: Random, domain: PlannedDomain) -> Fault:
    """Choose one."""
    if domain.account == BUSY:
        return Fault(dice.choice(("GREETING", "EHLO", "CONTENT")), 1, "stall")
    if domain.is_crowded and dice.random() < 0.9:
        return Fault("CONTENT", dice.randint(30, 150), dice.choice(("close", "lose", "half")))
    is_told = domain.passing is ClientPassing.XCLIENT
    step = dice.choice((*_STEPS, *(("XCLIENT",) * 6 if is_told else ())))
    ways = _WAYS + _WAYS_AFTER_CONTENT if step == "CONTENT" else _WAYS
    return Fault(step, dice.choice((1, 1, 2, 3, 20)), dice.choice(ways))


@dataclass(eq=False)
class Primary:
    """One server. `serves` are its domains; it takes mail for these alone."""

    domain: PlannedDomain
    network: Network
    books: Books
    trace: Trace
    dice: Random
    address: str
    machine: Machine = field(init=False)
    is_healed: bool = False
    _listening: Any = None

    def __post_init__(self) -> None:
        is_second = self.address != self.domain.address
        name = f"mx-{self.domain.name.partition('.')[0]}{'-new' * is_second}"
        self.machine = Machine(name, self.address, is_spared=self.domain.is_calm)

    def come(self) -> None:
        """Be there."""
        if self._listening is None:
            self._listening = self.machine.context.run(
                self.network.listen, lambda: _Session(self), self.address, 25
            )

    def go(self) -> None:
        """Be away: nothing listens, and open connections break."""
        if self._listening is not None:
            self.trace.note(self.machine.name, "is away")
            self._listening.close()
            self._listening = None
        for transport in list(self.machine.transports.values()):
            transport.connection.cut(transport, transport.peer)

    def fault(self) -> Fault | None:
        """Choose what goes wrong with the next connection."""
        if self.is_healed or self.dice.random() >= self.domain.misfortune:
            return None
        return draw_fault(self.dice, self.domain)

    @property
    def offer(self) -> list[str]:
        """Return what EHLO is answered with."""
        offered = [
            ("PIPELINING", self.domain.has_pipelining),
            ("CHUNKING", self.domain.has_chunking),
            (_XCLIENT, self.domain.passing is ClientPassing.XCLIENT),
        ]
        return [self.machine.name, *(name for name, is_there in offered if is_there), "8BITMIME"]


class _Session(asyncio.Protocol):
    """One connection."""

    _transport: Any
    _visit: Visit

    def __init__(self, primary: Primary) -> None:
        self._primary = primary
        self._fault = primary.fault()
        self._seen: dict[str, int] = {}
        self._buffer = b""
        self._is_in_data = self._is_asked_for_data = self._is_silent = False
        self._owed = 0  # octets of a chunk
        self._is_last = False
        self._content = b""
        self._reverse_path = ""
        self._paths: list[str] | None = None  # of the transaction; None outside
        self._awaits_header = primary.domain.passing is ClientPassing.PROXY
        self._is_client_refused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        primary = self._primary
        self._visit = primary.books.visit(primary.machine.name, self._transport.connection)
        if not self._awaits_header:
            self._answer("GREETING", "220 hello")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while self._buffer and not self._is_silent and not self._transport.is_closing():
            before = self._buffer
            if self._awaits_header:
                self._take_header()
            elif self._owed:
                self._take_chunk()
            elif self._is_in_data:
                self._take_data()
            else:
                self._take_line()
            if self._buffer == before:
                return

    def _take_header(self) -> None:
        """Take the header of the PROXY protocol, before which nothing is said."""
        found = read_proxy_header(self._buffer)
        if found is NO_HEADER:
            name = self._primary.machine.name
            self._primary.books.wrongs.append(f"{name} got no header: {self._buffer[:40]!r}")
            self._transport.close()
        elif found is not None:
            self._visit.client, length = found
            self._buffer, self._awaits_header = self._buffer[length:], False
            self._answer("GREETING", "220 hello")

    def _take_line(self) -> None:
        line, end, rest = self._buffer.partition(b"\r\n")
        if end:
            self._buffer = rest
            self._obey(line.decode("latin-1"))

    def _take_data(self) -> None:
        whole, end, rest = (b"\r\n" + self._buffer).partition(b"\r\n.\r\n")
        if end:
            self._buffer, self._is_in_data = rest, False
            self._content = whole.replace(b"\r\n..", b"\r\n.")[2:] + b"\r\n"
            self._end_content()

    def _take_chunk(self) -> None:
        octets, self._buffer = self._buffer[: self._owed], self._buffer[self._owed :]
        self._content += octets
        self._owed -= len(octets)
        if not self._owed:
            self._end_chunk()

    def _end_chunk(self) -> None:
        if not self._paths:
            self._paths = None
            self._say("554 5.5.1 no valid recipients")
        elif self._is_last:
            self._end_content()
        else:
            self._say("250 go on")

    def _obey(self, line: str) -> None:
        verb = line.partition(" ")[0].partition(":")[0].upper()
        match verb:
            case "EHLO" | "HELO":
                self._primary.books.begin(self._visit)
                self._answer("EHLO", _lines(self._primary.offer))
            case "XCLIENT":
                self._learn_client(line)
            case "MAIL":
                self._look_at_client()
                path = line.partition("<")[2].partition(">")[0]
                is_first = self._paths is None
                self._answer("MAIL", "250 2.1.0 ok" if is_first else "503 5.5.1 nested", path)
            case "RCPT":
                path = line.partition("<")[2].partition(">")[0]
                self._answer("RCPT", self._reply_to(path), path)
            case "DATA":
                self._is_asked_for_data = True
                self._answer("DATA", "354 go ahead" if self._paths else "554 5.5.1 no recipients")
                self._is_asked_for_data = False
            case "BDAT":
                words = line.split()
                self._owed, self._is_last = int(words[1]), words[-1].upper() == "LAST"
                if not self._owed:
                    self._end_chunk()
            case "RSET":
                self._forget()
                self._answer("RSET", "250 2.0.0 ok")
            case "QUIT":
                self._answer("QUIT", "221 2.0.0 bye")
                self._transport.close()
            case _:
                self._say("500 5.5.1 what?")

    def _reply_to(self, path: str) -> str:
        if path.startswith("nobody"):
            return "550 5.1.1 no such user"
        return _BY_POLICY if self._defers_at("RCPT") else "250 2.1.5 ok"

    def _defers_at(self, step: str) -> bool:
        """Tell whether a policy defers the mail of this transaction at a step."""
        primary = self._primary
        is_concerned = self._reverse_path == POLICED and not primary.is_healed
        return is_concerned and primary.domain.policed_at == step

    def _learn_client(self, line: str) -> None:
        """Answer XCLIENT; the session begins again with 220 only."""
        primary, address = self._primary, xclient_address(line)
        if self._visit.client or self._is_client_refused:
            primary.books.wrongs.append(f"{primary.machine.name} got another XCLIENT: {line}")
        takes = primary.domain.takes_ipv6 or primary.is_healed or ":" not in address
        reply = "220 hello again" if takes else "501 5.5.4 bad address"
        way = self._way("XCLIENT")
        if self._refuses("XCLIENT", address):
            way = primary.domain.refuses_by
        if way or not takes:
            self._is_client_refused = True
        else:
            self._visit.client = address
        self._forget()
        self._act(way, reply)

    def _refuses(self, step: str, address: str) -> bool:
        """Tell whether a client is refused at this step.

        One that is refused before its mail stays refused in this session.
        """
        primary = self._primary
        if not address.startswith(UNWANTED) or primary.domain.refuses_at != step:
            return False
        if step == "RCPT":
            return not primary.is_healed
        self._is_client_refused |= not primary.is_healed
        return self._is_client_refused

    def _look_at_client(self) -> None:
        if self._is_client_refused:
            name = self._primary.machine.name
            self._primary.books.wrongs.append(f"{name} got MAIL after it had refused the client")

    def _forget(self) -> None:
        self._paths, self._content = None, b""

    def _end_content(self) -> None:
        paths, content = tuple(self._paths or ()), self._content
        self._forget()
        if not paths:
            self._say("554 5.5.1 no valid recipients")
            return
        way = self._way("CONTENT")
        if not way and self._defers_at("CONTENT"):
            self._primary.books.defer(self._visit, paths, content)
            self._say(_BY_POLICY)
            return
        if way in ("", "odd", *_WAYS_AFTER_CONTENT):
            self._primary.books.take(self._visit, self._reverse_path, paths, content)
        self._act(way, "250 2.0.0 queued")

    def _answer(self, step: str, reply: str, path: str = "") -> None:
        """Answer a command. It changes the session only with a good reply."""
        way = self._way(step)
        if way in ("", "odd") and reply[0] in "23":
            if step == "MAIL":
                self._reverse_path, self._paths, self._content = path, [], b""
            elif step == "RCPT" and self._paths is not None:
                self._paths.append(path)
        self._act(way, reply)

    def _way(self, step: str) -> str:
        """Return how this step goes wrong, "" if it does not."""
        if self._refuses(step, self._visit.client):
            return self._primary.domain.refuses_by
        self._seen[step] = self._seen.get(step, 0) + 1
        fault = self._fault
        if fault is None or (fault.step, fault.nth) != (step, self._seen[step]):
            return ""
        if self._primary.is_healed:
            return ""
        self._visit.misbehaved = f"{fault.way} at {step}"
        note = f"{self._visit.connection.text} {self._visit.misbehaved}"
        self._primary.trace.note(self._primary.machine.name, note)
        return fault.way

    def _act(self, way: str, reply: str) -> None:
        match way:
            case "refuse":
                self._say("554 5.3.0 not today")
            case "policy":
                self._say(_BLOCKED)
            case "defer" | "deny":
                self._say("451 4.3.0 later")
            case "busy":
                self._say("421 4.3.2 too busy")
                self._transport.close()
            case "close" | "lose":
                self._transport.close()
            case "half":
                self._transport.write(reply[:7].encode())
                self._transport.close()
            case "stall" | "swallow":
                self._is_silent = True
            case "odd":
                self._say(self._primary.dice.choice(_ODD))
            case _:
                self._say(reply)

    def _say(self, reply: str) -> None:
        self._is_in_data |= reply.startswith("354") and self._is_asked_for_data
        self._transport.write(reply.encode() + b"\r\n")


def _lines(lines: list[str]) -> str:
    last = len(lines) - 1
    return "\r\n".join(f"250{' ' if at == last else '-'}{line}" for at, line in enumerate(lines))
