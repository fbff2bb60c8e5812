"""Rows of channels that another version has written."""

from restante.store.stored_form.notice_rows import channel
from restante.tenancy.notice import ChannelTransport, NoticeKind


def test_a_channel_hears_of_the_kinds_that_there_are() -> None:
    row = (
        1,
        "alpha",
        "hook",
        "webhook",
        "https://hook.example/",
        b"",
        "eggs-laid\nmail-expired",
        1.0,
        0,
    )
    read = channel(row)
    assert read.kinds == {NoticeKind.MAIL_EXPIRED}
    assert read.transport is ChannelTransport.WEBHOOK
