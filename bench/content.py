"""The content of the bench's messages."""

from typing import Final

from bench.domains import SENDER

LINE: Final = b"Neither snow nor rain nor heat nor gloom of night stays this mail for long.\r\n"
HEADER: Final = b"From: <%s>\r\nSubject: held\r\n\r\n" % SENDER.encode()


def content(size: int) -> bytes:
    """Return a message of `size` octets in lines of usual length. No line starts with a dot."""
    lines, rest = divmod(size - len(HEADER) - 2, len(LINE))
    assert lines >= 0, "a message has a header"
    return HEADER + LINE * lines + b"x" * rest + b"\r\n"
