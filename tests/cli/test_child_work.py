"""Work in a child: its result or failure comes back, and nothing else changes here."""

import os
from collections.abc import Callable

import pytest

from restante.cli.child_work import as_server_user
from restante.cli.failures import Exit, Failure
from tests.acceptance.peers.programs import require_plain_user

Bind = Callable[[], None]


def test_the_result_comes_back() -> None:
    async def work(_: Bind) -> object:
        return {"a": [1, "x"]}

    assert as_server_user(work) == {"a": [1, "x"]}


def test_a_failure_comes_back_whole() -> None:
    async def fail(_: Bind) -> None:
        raise Failure(Exit.DATA, "one: cause; remedy", "two")

    with pytest.raises(Failure) as caught:
        as_server_user(fail, "working")
    assert caught.value.code == Exit.DATA
    assert caught.value.texts == ("one: cause; remedy", "two")


def test_root_stays_root() -> None:
    require_plain_user("nobody")

    async def become_nobody(bind: Bind) -> int:
        os.setuid(65534)
        bind()
        return os.getuid()

    assert as_server_user(become_nobody) == 65534
    assert os.getuid() == 0


def test_a_large_result_does_not_block() -> None:
    async def work(_: Bind) -> str:
        return "x" * 1_000_000

    assert len(as_server_user(work)) == 1_000_000


def test_a_child_that_dies_is_a_failure() -> None:
    require_plain_user("nobody")

    async def die(_: Bind) -> None:
        os._exit(9)

    with pytest.raises(Failure, match="making it: the process that did it ended"):
        as_server_user(die, "making it")
