from hypothesis import given
from hypothesis import strategies as st

from restante.mail.envelope_fields import envelope_fields, take_envelope_fields

PATHS = st.sampled_from(["a@b.example", '"odd name"@c.example', "grüße@d.example"])


@given(
    PATHS | st.just(""),
    st.lists(PATHS, unique=True),
    st.sampled_from([b"", b"Received: x\r\n\r\n", b"\r\nbody\r\n"]),
)
def test_lines_above_a_message_are_read_and_removed(
    reverse: str, to: list[str], content: bytes
) -> None:
    found = take_envelope_fields(envelope_fields(reverse, to) + content)
    assert found == (reverse, tuple(to), content)


def test_fields_of_delivery_are_read_the_original_recipient_before_the_mailbox() -> None:
    found = take_envelope_fields(
        b"Return-Path: <>\r\n"
        b"X-Original-To: info@alpha.example\r\n"
        b"Delivered-To: box@host.example\r\n"
        b"Received: x\r\n"
    )
    assert found == ("", ("info@alpha.example",), b"Received: x\r\n")


def test_fields_further_down_are_the_messages_own() -> None:
    content = b"Received: x\r\nReturn-Path: <a@b>\r\nDelivered-To: c@d\r\n\r\n"
    assert take_envelope_fields(content) == (None, (), content)


def test_a_second_return_path_and_a_folded_field_are_left_alone() -> None:
    assert (
        take_envelope_fields(b"Return-Path: <a@b>\r\nReturn-Path: <c@d>\r\n").content
        == b"Return-Path: <c@d>\r\n"
    )
    folded = b"Delivered-To: a@b\r\n\tand more\r\n"
    assert take_envelope_fields(folded).content == folded
