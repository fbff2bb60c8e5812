"""A name server of our own on loopback, with a test's answers, that records its questions."""

from __future__ import annotations

import socketserver
from collections.abc import Mapping, Sequence
from typing import Final

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from tests.acceptance.threaded import Threaded

ADDRESS: Final = "127.0.0.1"
TIME_TO_LIVE: Final = 0  # nobody remembers an answer: the next one may be another
_SOA: Final = ". . 1 3600 3600 3600"  # and how long a no holds (RFC 2308 §5)

Records = Mapping[str, Mapping[str, Sequence[str]]]  # name → type → values, as in a zone file


class NameServer(Threaded):
    """Runs while its `with` lasts. `records` may be replaced at any time."""

    def __init__(self, records: Records, time_to_live: int = TIME_TO_LIVE) -> None:
        """Answers hold for `time_to_live` seconds, negative ones too."""
        self.records = records
        self._time_to_live = time_to_live
        self.failing: set[str] = set()  # names for which it answers SERVFAIL
        self.validated: set[str] = set()  # names whose answers have the AD bit
        self.asked: list[tuple[str, str]] = []  # name and type of each query

        answer = self._answer

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                data, socket = self.request
                socket.sendto(answer(data), self.client_address)

        self._server = socketserver.UDPServer((ADDRESS, 0), Handler)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    @property
    def settings(self) -> str:
        """The table that makes Restante ask here and nowhere else."""
        return f'[resolver]\nnameservers = ["{ADDRESS}:{self.port}"]\n'

    def _answer(self, data: bytes) -> bytes:
        query = dns.message.from_wire(data)
        question = query.question[0]
        name, kind = (
            question.name.to_text(omit_final_dot=True).lower(),
            dns.rdatatype.to_text(question.rdtype),
        )
        self.asked.append((name, kind))
        answer = dns.message.make_response(query, recursion_available=True)
        if name in self.validated and query.flags & dns.flags.AD:
            answer.flags |= dns.flags.AD
        if name in self.failing:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif records := self._found(name, kind):
            for owner, found, values in records:
                answer.answer.append(
                    dns.rrset.from_text(f"{owner}.", self._time_to_live, "IN", found, *values)
                )
        else:
            answer.set_rcode(dns.rcode.NOERROR if name in self.records else dns.rcode.NXDOMAIN)
            soa = f"{_SOA} {self._time_to_live}"
            answer.authority.append(dns.rrset.from_text(".", self._time_to_live, "IN", "SOA", soa))
        return answer.to_wire()

    def _found(self, name: str, kind: str) -> list[tuple[str, str, Sequence[str]]]:
        """Return owner, type and values: the records, behind the alias that leads to them."""
        own = self.records.get(name, {})
        if kind in own or "CNAME" not in own:
            return [(name, kind, own[kind])] if kind in own else []
        end = own["CNAME"][0].removesuffix(".").lower()
        return [(name, "CNAME", own["CNAME"]), *self._found(end, kind)]
