"""The messages of SCRAM: each is read by its grammar, with the octets that both sides sign."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.sasl.mechanism import BadResponse
from restante.sasl.scram_messages import (
    ClientFinal,
    ClientFirst,
    ServerFirst,
    new_nonce,
    read_client_final,
    read_client_first,
    read_server_final,
    read_server_first,
    server_final,
    spell_name,
)
from tests.sasl.rfc7677 import (
    CLIENT_FINAL,
    CLIENT_FIRST,
    CLIENT_NONCE,
    PROOF,
    SALTING,
    SERVER_FINAL,
    SERVER_FIRST,
    SERVER_NONCE,
    SIGNATURE,
)

READERS = [read_client_first, read_client_final, read_server_first, read_server_final]


def test_the_messages_of_the_example() -> None:
    both = CLIENT_NONCE + SERVER_NONCE
    without_proof = CLIENT_FINAL.partition(b",p=")[0]
    bare = CLIENT_FIRST.removeprefix(b"n,,")
    assert read_client_first(CLIENT_FIRST) == ClientFirst(b"n,,", bare, "user", CLIENT_NONCE)
    assert read_server_first(SERVER_FIRST) == ServerFirst(both, SALTING)
    assert read_client_final(CLIENT_FINAL) == ClientFinal(without_proof, b"n,,", both, PROOF)
    assert read_server_final(SERVER_FINAL) == SIGNATURE
    assert server_final(SIGNATURE) == SERVER_FINAL


def test_octets_stay_as_they_were_on_the_wire() -> None:
    """Both sides sign them, so a name that is prepared stays unprepared there."""
    message = "y,a=I\u00adX,n=I\u00adX,r=abc,x=more".encode()
    read = read_client_first(message)
    assert (read.user, read.gs2_header + read.bare) == ("IX", message)


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1))
def test_any_name_can_be_spelled(name: str) -> None:
    spelled = spell_name(name)
    assert "," not in spelled
    assert read_client_first(f"n,,n={spelled},r=abc".encode()).user == name


def test_a_nonce_is_new_and_can_be_sent() -> None:
    nonces = {new_nonce() for _ in range(100)}
    assert len(nonces) == 100
    for nonce in nonces:
        assert read_client_first(f"n,,n=user,r={nonce}".encode()).nonce == nonce


@pytest.mark.parametrize("read", READERS)
@given(
    st.binary()
    | st.lists(
        st.sampled_from(
            [b"n", b"y", b"p=", b",", b"=", b"n=", b"r=", b"c=", b"s=", b"i=", b"v=", b"1", b"\xff"]
        )
    ).map(b"".join)
)
def test_any_message_is_read_or_refused(read: Callable[[bytes], object], message: bytes) -> None:
    try:
        read(message)
    except BadResponse:
        return
    assert message.decode()
