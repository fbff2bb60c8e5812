"""Large mail in an object store: OpenStack Swift by its S3 protocol, beside PostgreSQL."""

from __future__ import annotations

import asyncio
import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Self

import asyncpg
import httpx
import obstore
import pytest

from tests.acceptance.installation import ALPHA, HOST, Installation, at
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.senders import swaks_sends
from tests.acceptance.peers.sink import SmtpSink
from tests.acceptance.sample import REVERSE_PATH, message, send

if TYPE_CHECKING:
    from tests.object_server import ObjectServer

DOMAIN = "alpha.example"
READER = f"reader@{DOMAIN}"
PREFIX = "held"
MARK = "restante-store"
LINES = 5400  # of a thousand octets: more than one part of an upload


def large(token: str) -> bytes:
    """Return a message that is uploaded in parts."""
    return message(token, (token.encode().ljust(998, b"y") + b"\r\n") * LINES)


@pytest.fixture(scope="module")
def primary() -> Iterator[SmtpSink]:
    """A primary that keeps what it takes."""
    with SmtpSink(keep_content=True) as primary:
        primary.start()
        yield primary


@pytest.fixture(scope="module")
def restante(
    database: str, primary: SmtpSink, object_server: ObjectServer
) -> Iterator[Installation]:
    """A server on that database and that object store, with one domain."""
    access = object_server.access(PREFIX)
    objects = {
        "url": access.url,
        "endpoint": access.endpoint,
        "access_key_id": access.access_key_id,
        "secret_key_file": str(access.secret_key_file),
    }
    lines = "\n".join(f'{name} = "{value}"' for name, value in objects.items())
    with Installation(database=database, more=f"[objects]\n{lines}\n") as restante:
        restante.start()
        restante.hosts(DOMAIN, at(primary))
        yield restante


@pytest.fixture
def names(object_server: ObjectServer) -> Callable[[], set[str]]:
    """Return the names of all content in the object store."""
    store = object_server.store(PREFIX)

    def found() -> set[str]:
        return {one["path"] for page in obstore.list(store) for one in page} - {MARK}

    return found


def drained(restante: Installation, held: int = 0) -> None:
    """Ask for all mail, and wait until so much is left."""
    assert restante.etrn(DOMAIN, login=ALPHA).returncode == 0
    eventually(lambda: restante.held(DOMAIN) == held, what="the drain")


def has_all(primary: SmtpSink, token: str) -> bool:
    """Tell whether the primary has a large message, once and whole."""
    line = token.encode().ljust(998, b"y")
    return [count for raw in primary.messages() if (count := raw.count(line))] == [LINES]


def tried(restante: Installation, content: bytes) -> subprocess.CompletedProcess[str]:
    """Send a message, however that ends."""
    return swaks_sends(
        restante.mx, reverse_path=REVERSE_PATH, forward_paths=[READER], content=content
    )


def test_large_mail_is_one_object_until_it_was_delivered(
    restante: Installation, primary: SmtpSink, names: Callable[[], set[str]]
) -> None:
    send(restante.mx, READER, content=large("first"))
    send(restante.mx, READER, content=message("small"))
    assert len(names()) == 1
    exported = restante.directory / "exported"
    restante.do("queue", "export", str(exported), "--larger", "1M")
    [copy] = exported.rglob("*.eml")
    assert copy.read_bytes().count(b"first".ljust(998, b"y")) == LINES
    drained(restante)
    assert has_all(primary, "first")
    eventually(lambda: not names(), what="the object to be removed")


def test_an_outage_concerns_large_mail_alone_and_passes(
    restante: Installation, primary: SmtpSink, object_server: ObjectServer
) -> None:
    send(restante.mx, READER, content=large("before"))
    before = primary.count()
    object_server.halt()
    try:
        refused = tried(restante, large("during"))
        assert "451 " in refused.stdout
        assert refused.returncode != 0
        restante.wait_for_event("objects-away")
        send(restante.mx, READER, content=message("small during"))
        drained(restante, held=1)
        assert primary.count() == before + 1
        [waiting] = restante.shown("queue", "list")
        assert "its content cannot be read now" in json.dumps(waiting)
        status = restante.run("status", "--check")
        assert (status.returncode, "mail of 1 MiB or more is neither" in status.stdout) == (2, True)
        ready = httpx.get(f"http://{HOST}:{restante.web_port}/readyz")
        assert (ready.status_code, ready.text) == (200, "ready, without large mail\n")
    finally:
        object_server.start()
    restante.wait_for_event("objects-back")
    eventually(lambda: restante.held(DOMAIN) == 0, what="the drain to go on")
    assert has_all(primary, "before")
    assert "object store" not in restante.run("status", "--check").stdout


def test_a_kill_between_put_and_commit_leaves_an_object_and_no_mail(
    restante: Installation, primary: SmtpSink, database: str, names: Callable[[], set[str]]
) -> None:
    eventually(lambda: not names(), what="earlier objects to be removed")
    send(restante.mx, READER, content=large("survivor"))
    before = names()
    answers = list[str]()
    sending = threading.Thread(
        target=lambda: answers.append(tried(restante, large("killed")).stdout)
    )

    async def kill_before_commit() -> None:
        async with LockedMessages(database) as messages:
            sending.start()
            is_put = lambda: names() - before  # noqa: E731
            await asyncio.to_thread(eventually, is_put, what="the object", timeout=30)
            restante.kill()
            await messages.end_others()

    asyncio.run(kill_before_commit())
    sending.join()
    assert "250 2.0.0" not in answers[0].partition("killed")[2]
    restante.start()
    assert restante.held(DOMAIN) == 1
    assert len(names()) == 2, "one is an orphan, which a sweep removes after its grace"
    send(restante.mx, READER, content=large("killed"))
    drained(restante)
    assert has_all(primary, "killed")
    assert has_all(primary, "survivor")


class LockedMessages:
    """Let nobody hold mail meanwhile."""

    def __init__(self, database: str) -> None:
        self._database = database

    async def __aenter__(self) -> Self:
        self._session = await asyncpg.connect(self._database)
        await self._session.execute("BEGIN; LOCK TABLE message IN SHARE MODE")
        return self

    async def end_others(self) -> None:
        """End the statements of a client that was killed: they would be done after the lock."""
        await self._session.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()


def test_an_object_that_was_lost_is_damage(
    restante: Installation, object_server: ObjectServer, names: Callable[[], set[str]]
) -> None:
    before = names()
    send(restante.mx, READER, content=large("lost"))
    [name] = names() - before
    obstore.delete(object_server.store(PREFIX), name)
    assert restante.etrn(DOMAIN, login=ALPHA).returncode == 0
    damage = restante.wait_for_event("message-damaged", domain=DOMAIN)
    assert f"the object {name} is missing" in damage["reason"]
    assert restante.shown("queue", "list", "--status", "damaged") != []
    assert restante.run("status", "--check").returncode == 1
