"""The stub that reads like fetchmail has its fault: a line that shares a record is not seen."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import trustme

from restante.network.wire import line_records
from tests.acceptance.peers.odmr_customer import OdmrCustomer, Stalled
from tests.acceptance.peers.server import Server, Tls

if TYPE_CHECKING:
    from pathlib import Path

COMMANDS = b"MAIL FROM:<>\r\nRCPT TO:<b@b.example>\r\nDATA\r\n"


@contextmanager
def provider(directory: Path, records: Sequence[bytes]) -> Iterator[Server]:
    """Greet a customer, answer its EHLO, and then write each of these as a TLS record."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    trusted = directory / "ca.pem"
    authority.cert_pem.write_to_path(str(trusted))
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with listener.accept()[0] as plain, context.wrap_socket(plain, server_side=True) as secure:
            secure.sendall(b"220 mx2.example.net\r\n")
            secure.recv(1000)
            secure.sendall(b"250 mx2.example.net\r\n")
            secure.recv(1000)  # the greeting of the customer
            for record in records:
                secure.sendall(record)
            while secure.recv(1000):
                pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    port = listener.getsockname()[1]
    try:
        yield Server("localhost", port, Tls.IMPLICIT, trusted)
    finally:
        listener.close()
        thread.join(5)


@pytest.mark.parametrize("is_naive", [True, False])
def test_lines_in_one_record_stall_it(tmp_path: Path, *, is_naive: bool) -> None:
    records = [COMMANDS] if is_naive else list(line_records(COMMANDS))
    with (
        provider(tmp_path, records) as server,
        OdmrCustomer(server, reads_like_fetchmail=True) as customer,
    ):
        customer.patience = 2.0
        with pytest.raises(Stalled):  # the other kind waits for content
            customer.serve()
        assert customer.commands == (
            ["MAIL FROM:<>"] if is_naive else ["MAIL FROM:<>", "RCPT TO:<b@b.example>", "DATA"]
        )
