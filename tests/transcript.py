"""Tests that read like the wire.

A transcript has lines `C: …` (sent, CRLF added) and `S: …` (must come next, exactly). Blank lines
and `#` are for the reader. `C~ …` sends without a line end, with \\r, \\n, \\0 and \\xNN
understood. Nothing may be left over at the end.
"""

from collections.abc import Callable, Iterator
from textwrap import dedent


def play(
    text: str, send: Callable[[bytes], None], received: Callable[[], bytes], **values: str
) -> None:
    """Play the client's side of a transcript against `send`, and check the server's."""
    said: list[str] = []
    for kind, words in _lines(text):
        content = _fill(words, values)
        if kind == "S":
            said += _take(received)
            assert said, f"expected {content!r}, heard nothing"
            assert said.pop(0) == content
        else:
            said += _take(received)
            assert not said, f"unexpected {said!r} before {content!r}"
            send(_octets(content) if kind == "C~" else f"{content}\r\n".encode())
    said += _take(received)
    assert not said, f"unexpected at the end: {said!r}"


def _lines(text: str) -> Iterator[tuple[str, str]]:
    for line in dedent(text).splitlines():
        kind, _, words = line.partition(" ")
        match kind:
            case "C:" | "S:" | "C~":
                yield kind.removesuffix(":"), words
            case "" | "#":
                pass
            case _:
                raise AssertionError(f"not a line of a transcript: {line!r}")


def _fill(words: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        words = words.replace("{" + name + "}", value)
    return words


def _octets(words: str) -> bytes:
    return words.encode("latin-1").decode("unicode_escape").encode("latin-1")


def _take(received: Callable[[], bytes]) -> list[str]:
    data = received().decode()
    assert not data or data.endswith("\r\n")
    return data.split("\r\n")[:-1]
