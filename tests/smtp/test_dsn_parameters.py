"""Requests for reports: read from commands, and written into commands again."""

from hypothesis import given
from hypothesis import strategies as st

from restante.mail.dsn_request import (
    DsnRequest,
    Notify,
    RecipientRequest,
    Ret,
)
from restante.mail.envelope import Envelope
from restante.mail.message import HeldMessage
from restante.smtp.client_transaction import opening_commands
from restante.smtp.commands import Mail, Rcpt, parse_command
from restante.smtp.ehlo_offer import EhloOffer

PATH = "b@b.example"
xtexts = st.lists(
    st.sampled_from(["a", "B", ";", "+2B", "+3D", "+20", "~", "\\x{FC}"]), min_size=1, max_size=12
).map("".join)
notifies = st.none() | st.sampled_from([Notify(bits) for bits in range(8)])
originals = st.just("") | xtexts.map(lambda text: f"rfc822;{text}")
requests = st.builds(
    DsnRequest,
    st.none() | st.sampled_from(Ret),
    st.just("") | xtexts,
    st.builds(RecipientRequest, notifies, originals).map(lambda one: {PATH: one}),
)


def message(asked: DsnRequest) -> HeldMessage:
    return HeldMessage(1, 1, Envelope("a@a.example", (PATH,), dsn=asked), 0.0, b"x\r\n")


@given(requests)
def test_it_comes_out_as_it_came_in(asked: DsnRequest) -> None:
    lines = [
        line.removesuffix(b"\r\n")
        for _, line in opening_commands(message(asked), EhloOffer(has_dsn=True))
    ]
    mail, rcpt = map(parse_command, lines)
    assert isinstance(mail, Mail)
    assert isinstance(rcpt, Rcpt)
    assert (mail.ret, mail.envelope_id) == (asked.ret, asked.envelope_id)
    assert (rcpt.request or RecipientRequest()) == asked.of(PATH)


@given(requests)
def test_a_server_without_the_extension_is_told_nothing_of_it(asked: DsnRequest) -> None:
    """RFC 3461 §5.2.2 (a)."""
    assert [line for _, line in opening_commands(message(asked), EhloOffer())] == [
        b"MAIL FROM:<a@a.example>\r\n",
        b"RCPT TO:<b@b.example>\r\n",
    ]


def test_an_equals_sign_that_was_not_spelled_as_xtext_is() -> None:
    """Postfix takes `ENVID=YQ==` and BATV addresses in ORCPT; Exim refuses them as they came."""
    mail = parse_command(b"MAIL FROM:<a@a.example> ENVID=YQ==")
    rcpt = parse_command(b"RCPT TO:<b@b.example> ORCPT=rfc822;prvs=1a=b@b.example")
    assert isinstance(mail, Mail)
    assert isinstance(rcpt, Rcpt)
    assert mail.envelope_id == "YQ+3D+3D"
    assert rcpt.request == RecipientRequest(None, "rfc822;prvs+3D1a+3Db@b.example")
