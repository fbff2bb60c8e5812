"""The offer of a server, read from its reply to EHLO."""

import pytest

from restante.smtp.ehlo_offer import read_offer
from restante.smtp.peer_replies import ServerReply


def test_an_offer_is_read_whatever_its_spelling() -> None:
    offer = read_offer(
        ServerReply(
            250,
            (
                b"P.Example hi",
                b"Size 5000",
                b"auth LOGIN plain",
                b"AUTH=CRAM-MD5",
                b"",
                b"X-\xff",
                b"chunking",
            ),
        )
    )
    assert offer.server_name == "p.example"
    assert (offer.has_size, offer.size_limit) == (True, 5000)
    assert offer.mechanisms == {"LOGIN", "PLAIN", "CRAM-MD5"}
    assert offer.has_chunking
    assert not offer.has_pipelining


def test_a_name_is_the_same_with_a_trailing_dot() -> None:
    assert read_offer(ServerReply(250, (b"P.Example. hi",))).server_name == "p.example"


@pytest.mark.parametrize(
    "line", [b"AUTH PLAIN,LOGIN", b"AUTH PLAIN, LOGIN", b"AUTH=PLAIN,LOGIN", b"auth login ,plain"]
)
def test_mechanisms_with_commas_are_read(line: bytes) -> None:
    assert read_offer(ServerReply(250, (b"p", line))).mechanisms == {"PLAIN", "LOGIN"}


@pytest.mark.parametrize(
    "size", [b"SIZE", b"SIZE 0", b"SIZE many", b"SIZE 9" + b"9" * 30, b"SIZE -5"]
)
def test_a_size_that_says_nothing_is_no_limit(size: bytes) -> None:
    offer = read_offer(ServerReply(250, (b"p", size)))
    assert offer.has_size
    assert offer.size_limit == 0


@pytest.mark.parametrize(
    ("line", "limit"),
    [
        (b"LIMITS MAILMAX=1000 RCPTMAX=50000", 1000),
        (b"limits rcptmax=5 mailmax=3", 3),
        (b"LIMITS RCPTMAX=5", 0),
        (b"LIMITS", 0),
        (b"LIMITS MAILMAX=many", 0),
        (b"LIMITS MAILMAX", 0),
        (b"SIZE 5000", 0),
    ],
)
def test_the_limit_of_transactions_is_read(line: bytes, limit: int) -> None:
    """RFC 9422 §4.1."""
    assert read_offer(ServerReply(250, (b"p.example", line))).mail_limit == limit
