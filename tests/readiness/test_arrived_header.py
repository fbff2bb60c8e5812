"""The addresses that a primary judged, read from the header of a message as it arrived."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.mail.received_field import HEADER_OCTETS
from restante.readiness.arrived_header import ArrivedHeader, header_text, read_arrived

HOST = "mx2.example.net"
US, CLIENT, OTHER = "203.0.113.2", "198.51.100.7", "192.0.2.9"
MESSAGE_ID = "<drill.0123456789abcdef@mx2.example.net>"
OWN = (
    f"Received: from [{CLIENT}] (helo={HOST})\n\tby {HOST} with ESMTPS (TLSv1.3 X) id 1PZK4V0QH2\n"
    "\tfor <postmaster@a.example>;\n\tMon, 30 Nov 2026 17:00:00 +0000\n"
)
BELOW = f"Subject: Restante drill\nMessage-ID: {MESSAGE_ID}\n\nThis is a drill.\n"


def read(*above: str, own: str = OWN) -> ArrivedHeader:
    return read_arrived(("".join(f"{one}\n" for one in above) + own + BELOW).encode())


@pytest.mark.parametrize(
    "field",
    [
        "Received-SPF: Pass (mailfrom) identity=mailfrom; client-ip={}; helo=x; envelope-from=y",
        'received-spf: fail\n\tclient-ip="{}"',
        "Authentication-Results: mx.a.example; spf=pass smtp.remote-ip={}",
        "Authentication-Results: mx.a.example;\n iprev=fail policy.iprev={} (x);\n spf=none",
        "Authentication-Results: mx; spf=fail (mx: x@b does not designate {} as permitted sender)",
        "Authentication-Results: spf=pass (sender IP is {})\r\n smtp.mailfrom=b; dkim=none",
    ],
)
@pytest.mark.parametrize("address", [CLIENT, "2001:db8::7"])
def test_filters_name_the_client_that_they_judged(field: str, address: str) -> None:
    assert read(field.format(address)).of_filters == (address,)


@pytest.mark.parametrize(
    ("clause", "address"),
    [
        (f"{HOST} ({HOST} [{US}])", US),
        (f"{HOST} (unknown [IPv6:2001:db8::2])", "2001:db8::2"),
        (f"{HOST} ([{US}] helo=x)", US),
        (f"[{US}] (helo={HOST})", US),
        (f"{HOST} ({US})", US),
        (f"[{OTHER}] ({HOST} [{US}])", US),  # the client said a literal, and the comment is true
        (f"{HOST} ({HOST} [::ffff:{US}])", US),
        ("nowhere", ""),
        (f"{HOST} ([1.2.3])", ""),
    ],
)
def test_the_mail_server_names_its_client(clause: str, address: str) -> None:
    field = f"Received: from {clause}\n\tby mx.a.example (Postfix) with ESMTPS id 4F2; today"
    later = f"Received: from localhost (localhost [127.0.0.1]) by mx.a.example id 5 [{OTHER}]"
    found = read(later, field)
    assert (found.of_server, found.client, found.of_filters) == (address, CLIENT, ())


def test_fields_below_our_own_are_not_trusted() -> None:
    forged = f"Received-SPF: pass client-ip={OTHER}\nReceived: from x ([{OTHER}]) by y\n"
    found = read_arrived((OWN + forged + BELOW).encode())
    assert found == ArrivedHeader(MESSAGE_ID, CLIENT, (), "")


def test_without_our_own_field_nothing_is_trusted() -> None:
    field = f"Authentication-Results: mx; spf=pass smtp.remote-ip={CLIENT}"
    assert read(field, own="") == ArrivedHeader(MESSAGE_ID)
    other = OWN.replace(f"by {HOST}", "by mx2.example.org")
    assert read(field, own=other) == ArrivedHeader(MESSAGE_ID)
    name = f"Received: from by {HOST} with (x [{OTHER}]) by mx.a.example with ESMTP id 1\n"
    assert read(field, own=name + OWN).client != OTHER


def test_our_field_is_that_of_the_server_that_the_message_id_names() -> None:
    field = f"Received: from x ([{OTHER}]) by mx1.example.net with ESMTP id 1"
    assert read(field).client == CLIENT
    below = BELOW.replace("@mx2.", "@mx1.")
    assert read_arrived(f"{field}\n{OWN}{below}".encode()).client == OTHER
    assert read_arrived(f"{field}\n{OWN}Message-ID: <drill.1>\n\n".encode()).client == ""


def test_a_header_of_very_many_parts_is_read_in_part() -> None:
    field = "Authentication-Results: mx; spf=fail (" + " ".join(
        f"192.0.2.{one}" for one in range(100)
    )
    assert len(read(field).of_filters) == 20
    assert read(*["X: y"] * 600) == ArrivedHeader(MESSAGE_ID)
    assert read("X: y" + "\n " * 600).client == CLIENT


def test_the_form_of_a_client_with_another_name_is_ours_too() -> None:
    own = f"Received: from other ([IPv6:2001:DB8::7])\r\n\tby {HOST} with ESMTP id 1;\r\n\tdate\r\n"
    assert read(own=own).client == "2001:db8::7"


def test_the_first_line_of_a_mailbox_and_other_lines_are_no_fields() -> None:
    found = read("From postmaster Mon Nov 30 17:00:00 2026", "Delivered-To: x@a.example")
    assert (found.message_id, found.client) == (MESSAGE_ID, CLIENT)


def test_only_the_header_counts_and_a_request_has_it_alone() -> None:
    late = OWN + "Subject: x\n\n" + f"Message-ID: {MESSAGE_ID}\n"
    assert read_arrived(late.encode()).message_id == ""
    assert header_text(b"A: b\r\nC: \xe9\r\n\r\nbody") == "A: b\nC: \N{REPLACEMENT CHARACTER}"
    assert len(header_text(b"\xff" * (2 * HEADER_OCTETS))) == HEADER_OCTETS


FIELDS = ("Received: from ", "Received-SPF: ", "Authentication-Results: ", "Message-ID: ", OWN)
WORDS = ("client-ip=", "smtp.remote-ip=", "spf=", f" by {HOST} with ", CLIENT, "::1", "999.1.1.1")
SIGNS = ("\n", "\r\n ", "\n\t", "\n\n", "(", "[", "]", ")", ";", ":", ".", '"', "%eth0", MESSAGE_ID)
PIECES = st.sampled_from([*FIELDS, *WORDS, *SIGNS])


@given(st.lists(PIECES, max_size=60), st.binary(max_size=60))
def test_any_octets_have_an_answer_and_what_stands_below_changes_nothing(
    pieces: list[str], octets: bytes
) -> None:
    hostile = "".join(pieces).encode() + octets
    found = read_arrived(hostile)
    assert len(found.of_filters) <= 20
    below = read_arrived(f"{OWN}Message-ID: {MESSAGE_ID}\nX: y\n".encode() + hostile)
    assert (below.client, below.of_filters, below.of_server) == (CLIENT, (), "")
