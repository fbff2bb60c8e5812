"""The contract of every check. Add yours to CHECKS."""

import asyncio
import gc
import threading
import time
import types
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from ipaddress import ip_address
from typing import Any, Final

import pytest

from restante.checks.check import (
    Check,
    ClientFacts,
    ExaminedContent,
    ExaminedRecipient,
)
from restante.checks.suspicion import SuspicionCheck
from restante.checks.verdict import PASSED, CheckPassed, CheckRefused, CheckUndecided, CheckVerdict
from restante.mail.address import Mailbox
from restante.store.live_directory import LiveDirectory
from restante.store.memory import MemoryStore
from restante.store.store_errors import StoreError
from restante.tenancy.model import AuthorizedHosts, Destination, HostedDomain
from tests.checks.sample_checks import AddressList, ContentFilter, Milter

CHECKS: Final[dict[str, Callable[[], Check]]] = {
    "suspicion": lambda: SuspicionCheck(LiveDirectory(MemoryStore().records)),
    # Samples, so that the contract itself is tried on each kind
    "filter": ContentFilter,
    "milter": Milter,
    "list": AddressList,
}
STEP_SECONDS: Final = 0.2  # of processor time: more would delay every other session

DOMAIN = HostedDomain(1, "a.example", "alpha", Destination("192.0.2.1"), AuthorizedHosts(), 0.0)
CLIENTS = [
    ClientFacts(ip_address("192.0.2.1"), "mail.b.example", "mx2.example.net"),
    ClientFacts(ip_address("2001:db8::1"), "", "mx2.example.net", "TLSv1.3 X", True),
    ClientFacts(ip_address("127.0.0.1"), "\udc80 %s \x00", "mx2.example.net"),
]
REVERSE_PATHS = [
    None,
    Mailbox("bob", "b.example"),
    Mailbox("postmaster", ""),
    Mailbox('"a b"', "[192.0.2.1]"),
    Mailbox("žofie", "bücher.example"),
    Mailbox("x" * 300, "-."),
]
BODIES = {
    "empty": [],
    "small": [b"Subject: x\r\n\r\ntext\r\n"],
    "cut anywhere": [bytes([octet]) for octet in b"Subject: x\r\n\r\n.\r\n"],
    "large": [b"0123456789abcdef" * 4096 + b"\r\n"] * 128,
}


@pytest.fixture(params=CHECKS)
def check(request: pytest.FixtureRequest) -> Check:
    """Each of the checks."""
    return CHECKS[request.param]()


def facts(client: ClientFacts, reverse_path: Mailbox | None) -> ExaminedRecipient:
    return ExaminedRecipient(client, reverse_path, Mailbox("one", "a.example"), DOMAIN)


def content_facts(blocks: list[bytes]) -> ExaminedContent:
    octets = sum(map(len, blocks))
    return ExaminedContent(CLIENTS[0], REVERSE_PATHS[1], ("one@a.example",), octets)


async def fed(blocks: list[bytes]) -> AsyncGenerator[bytes, None]:
    for block in blocks:
        await asyncio.sleep(0)
        yield block


@types.coroutine
def stepwise(
    coroutine: Coroutine[Any, Any, CheckVerdict], steps: list[float]
) -> Generator[Any, Any, CheckVerdict]:
    """Run a coroutine, and note the processor time of each step between two waits."""
    error: BaseException | None = None
    while True:
        began = time.thread_time()
        try:
            awaited = coroutine.send(None) if error is None else coroutine.throw(error)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        finally:
            steps.append(time.thread_time() - began)
        error = None
        try:
            yield awaited
        except BaseException as thrown:  # noqa: BLE001
            error = thrown


def run(examination: Coroutine[Any, Any, CheckVerdict]) -> CheckVerdict:
    """Run an examination: it must be no burden for the loop, and start no thread that stays."""
    steps: list[float] = []
    threads = set(threading.enumerate())

    async def examine() -> CheckVerdict:
        return await stepwise(examination, steps)

    gc.disable()  # a look at all that this process has made takes longer than a step
    try:
        verdict = asyncio.run(examine())
    finally:
        gc.enable()
    assert max(steps) < STEP_SECONDS
    assert set(threading.enumerate()) <= threads
    return verdict


def test_its_name_can_stand_in_the_log(check: Check) -> None:
    assert check.name
    assert check.name == check.name.lower().strip()
    assert not set(check.name) & set(" :;,\"'")


def test_names_are_different() -> None:
    names = [make().name for make in CHECKS.values()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("reverse_path", REVERSE_PATHS)
def test_it_has_a_verdict_for_any_recipient(
    check: Check, client: ClientFacts, reverse_path: Mailbox | None
) -> None:
    answer = check.open().recipient(facts(client, reverse_path))
    verdict = run(answer) if isinstance(answer, Coroutine) else answer
    assert isinstance(verdict, CheckPassed | CheckRefused | CheckUndecided)


@pytest.mark.parametrize("kind", BODIES)
def test_it_has_a_verdict_for_any_content(check: Check, kind: str) -> None:
    blocks = BODIES[kind]
    verdict = run(check.open().content(content_facts(blocks), fed(blocks)))
    assert isinstance(verdict, CheckPassed | CheckRefused | CheckUndecided)
    assert check.reads_content or verdict is PASSED


def test_content_that_cannot_be_read_is_not_let_pass(check: Check) -> None:
    """It may be read to its end before it is known to be damaged."""

    async def damaged() -> AsyncGenerator[bytes, None]:
        yield b"Subject: x\r\n"
        raise StoreError("damaged")

    examination = check.open().content(content_facts([b"Subject: x\r\n"]), damaged())
    if not check.reads_content:
        assert run(examination) is PASSED
    else:
        with pytest.raises(StoreError):
            run(examination)


def test_it_ends_when_it_is_cancelled(check: Check) -> None:
    """Its time may be over at any moment. Nothing of it may go on, and it may be asked again."""

    async def cancelled_after(steps: int) -> bool:
        session = check.open()
        body = BODIES["cut anywhere"]
        task = asyncio.ensure_future(session.content(content_facts(body), fed(body)))
        for _ in range(steps):
            await asyncio.sleep(0)
        is_done = task.done()
        task.cancel()
        assert await asyncio.wait([task], timeout=60) == ({task}, set())
        assert is_done or task.cancelled()
        session.abort()
        session.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return is_done

    for steps in range(200):
        if asyncio.run(cancelled_after(steps)):
            return
    pytest.fail("it does not end")


def test_sessions_know_nothing_of_each_other_and_may_end_at_any_time(check: Check) -> None:
    one, other = check.open(), check.open()
    one.abort()  # without a transaction
    one.close()
    other.abort()
    answer = other.recipient(facts(CLIENTS[0], None))
    if isinstance(answer, Coroutine):
        run(answer)
    other.abort()
    other.close()
