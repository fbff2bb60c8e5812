"""The DNS of the documents: run as `python -m tests.documents.zone` on port 53 of loopback."""

from __future__ import annotations

import socketserver
from typing import Final

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

HOSTS: Final = {
    "mx2.example.net": "192.0.2.25",
    "mail.acme.example": "192.0.2.77",
    "hooks.example.net": "192.0.2.77",
    "acme.example.com": "8.8.8.8",
}


def answer(query: dns.message.Message) -> dns.message.Message:
    """Answer A for a known host, nothing for its other types, and NXDOMAIN for any other name."""
    question = query.question[0]
    name = question.name.to_text(omit_final_dot=True).lower()
    reply = dns.message.make_response(query, recursion_available=True)
    reply.flags |= dns.flags.AA
    if name not in HOSTS:
        reply.set_rcode(dns.rcode.NXDOMAIN)
    elif question.rdtype == dns.rdatatype.A:
        reply.answer.append(dns.rrset.from_text(question.name, 60, "IN", "A", HOSTS[name]))
    return reply


class _Handler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        data, bound = self.request
        bound.sendto(answer(dns.message.from_wire(data)).to_wire(), self.client_address)


if __name__ == "__main__":
    with socketserver.UDPServer(("127.0.0.1", 53), _Handler) as server:
        server.serve_forever()
