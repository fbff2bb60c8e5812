"""Requests with a JSON object to a line are read in pieces, within limits."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any

import pytest
from fastapi import Request
from starlette.requests import ClientDisconnect

from restante.admin.admin_error import AdminError, ErrorKind
from restante.web.api import json_lines
from restante.web.api.json_lines import MAX_LINE, as_lines, body_lines


class Sent:
    """A request with these blocks."""

    def __init__(self, blocks: Iterable[bytes], *, is_cut: bool = False) -> None:
        self._blocks = blocks
        self._is_cut = is_cut

    async def stream(self) -> AsyncIterator[bytes]:
        for block in self._blocks:
            yield block
        if self._is_cut:
            raise ClientDisconnect


def read(*blocks: bytes, is_cut: bool = False) -> list[bytes]:
    async def story() -> list[bytes]:
        request: Any = Sent(blocks, is_cut=is_cut)
        assert hasattr(Request, "stream")
        return [line async for line in body_lines(request)]

    return asyncio.run(story())


def test_lines_are_the_same_however_they_are_cut_into_blocks() -> None:
    text = b'{"a": 1}\n\n{"b": 2}\r\n  \n{"c": 3}'
    wanted = [b'{"a": 1}', b'{"b": 2}\r', b'{"c": 3}']
    for size in (1, 2, 7, 100):
        blocks = [text[at : at + size] for at in range(0, len(text), size)]
        assert read(*blocks) == wanted
    assert read() == []


def test_a_line_and_a_request_have_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(b"x" * MAX_LINE + b"\n") == [b"x" * MAX_LINE]
    for blocks in ([b"x" * (MAX_LINE + 1)], [b"x" * (MAX_LINE + 1) + b"\n"], [b"x" * 65536] * 5):
        with pytest.raises(AdminError, match="line: has more than 262144 octets") as caught:
            read(*blocks)
        assert caught.value.kind is ErrorKind.INVALID
    monkeypatch.setattr(json_lines, "MAX_BODY", 10)
    assert read(b"12345\n", b"789\n") == [b"12345", b"789"]
    with pytest.raises(AdminError, match="request: has more than 10 octets"):
        read(b"12345\n", b"789\n", b"x")


def test_a_request_that_is_cut_is_the_fault_of_the_client() -> None:
    with pytest.raises(AdminError, match="it was interrupted; send it again") as caught:
        read(b"1\n2", is_cut=True)
    assert caught.value.kind is ErrorKind.USAGE


def test_the_answer_has_a_line_for_each_object() -> None:
    async def rest() -> AsyncIterator[dict[str, str]]:
        yield {"b": "\u2028\n"}

    async def story() -> list[bytes]:
        return [line async for line in as_lines({"a": 1}, rest())]

    assert asyncio.run(story()) == [b'{"a": 1}\n', '{"b": "\u2028\\n"}\n'.encode()]
