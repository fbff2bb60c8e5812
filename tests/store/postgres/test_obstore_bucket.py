"""Objects in Swift, by its S3 protocol: written whole, read in ranges; outages have an end."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import obstore
import pytest
from obstore.exceptions import GenericError, PermissionDeniedError

from restante.store.object_access import ObjectAccess
from restante.store.postgres import obstore_bucket
from restante.store.postgres.object_bucket import ObjectMissing
from restante.store.postgres.obstore_bucket import PART, ObstoreBucket, error_text, open_bucket
from restante.store.store_errors import ContentUnreachable, StoreError, StoreMismatched
from tests.object_server import ObjectServer


@pytest.fixture
def access(object_server: ObjectServer, runner: asyncio.Runner) -> ObjectAccess:
    """A prefix of its own."""
    return object_server.access(secrets.token_hex(4))


@pytest.fixture
def bucket(access: ObjectAccess) -> ObstoreBucket:
    """The bucket below it."""
    return open_bucket(access)


async def blocks(octets: bytes, size: int = 300_000) -> AsyncIterator[bytes]:
    """Yield octets in blocks."""
    for start in range(0, len(octets), size):
        yield octets[start : start + size]


async def names(bucket: ObstoreBucket) -> set[str]:
    """Return all names."""
    return {name async for page in bucket.listed() for name in page}


async def test_an_object_is_written_in_parts_and_read_in_ranges(bucket: ObstoreBucket) -> None:
    octets = os.urandom(2 * PART + 7)
    await bucket.put("large", blocks(octets), len(octets))
    assert await bucket.size_of("large") == len(octets)
    assert await bucket.read("large", PART - 3, 10) == octets[PART - 3 : PART + 7]
    assert await bucket.read("large", 2 * PART, 1000) == octets[2 * PART :], "less at the end"
    await bucket.copy("large", "copy", len(octets))
    await bucket.delete(["large", "never-there"])
    assert await bucket.read("copy", len(octets) - 5, 5) == octets[-5:]
    assert await names(bucket) == {"copy"}


@pytest.mark.parametrize("kind", ["Swift", "directory"])
async def test_there_is_nothing_behind_the_end_of_an_object(
    access: ObjectAccess, tmp_path: Path, kind: str
) -> None:
    """It was cut. That is no outage, which would be waited for."""
    url = f"file://{tmp_path}/objects" if kind == "directory" else access.url
    bucket = open_bucket(replace(access, url=url))
    await bucket.put_small("cut", b"12345")
    assert [await bucket.read("cut", start, 10) for start in (3, 5, 1000)] == [b"45", b"", b""]
    assert bucket.absence == ""


async def test_what_is_not_there_is_missing_and_nothing_is_away(bucket: ObstoreBucket) -> None:
    for call in (bucket.read("no", 0, 1), bucket.size_of("no"), bucket.copy("no", "new", 1)):
        with pytest.raises(ObjectMissing):
            await call
    assert bucket.absence == ""
    assert await names(bucket) == set()


async def test_a_bucket_that_is_not_there_takes_nothing(access: ObjectAccess) -> None:
    bucket = open_bucket(replace(access, url="s3://no-such-bucket/x"))
    with pytest.raises(ContentUnreachable, match="the bucket does not exist"):
        await bucket.put("one", blocks(b"1"), 1)


async def test_a_wrong_secret_is_named_as_the_cause(access: ObjectAccess) -> None:
    assert access.secret_key_file is not None
    access.secret_key_file.write_text("wrong")
    with pytest.raises(ContentUnreachable, match="it answers SignatureDoesNotMatch"):
        await open_bucket(access).put_small("one", b"1")


async def test_an_error_of_the_reader_passes_through_and_leaves_no_object(
    bucket: ObstoreBucket,
) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield bytes(PART + 1)
        raise StoreError("the disk failed")

    with pytest.raises(StoreError, match="the disk failed"):
        await bucket.put("broken", broken(), 2 * PART)
    assert bucket.absence == "", "the object store is not to blame"
    assert await names(bucket) == set()


async def test_an_outage_is_an_absence_until_a_call_succeeds(
    bucket: ObstoreBucket, object_server: ObjectServer
) -> None:
    await bucket.put_small("one", b"1")
    object_server.halt()
    try:
        with pytest.raises(ContentUnreachable, match="Connection refused"):
            await bucket.read("one", 0, 1)
        assert "Connection refused" in bucket.absence
    finally:
        object_server.start()
    assert await bucket.read("one", 0, 1) == b"1"
    assert bucket.absence == ""


async def test_silence_ends_a_call(
    bucket: ObstoreBucket, object_server: ObjectServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(obstore_bucket, "CALL_SECONDS", 0.3)
    object_server.pause()
    try:
        with pytest.raises(ContentUnreachable, match="no answer in time"):
            await bucket.put("one", blocks(b"1"), 1)
        bucket.absence = ""
        failures = await bucket.delete(["one", "two"])
        assert {name: str(one)[-17:] for name, one in failures.items()} == {
            "one": "no answer in time",
            "two": "no answer in time",
        }
        assert bucket.absence == "", "that deletions fail says nothing about mail"
    finally:
        object_server.resume()


@pytest.mark.parametrize("known", ["", "away"])
def test_a_right_that_deletions_and_listings_lack_is_no_absence(
    runner: asyncio.Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: str
) -> None:
    async def refuse(*_given: object, **_options: object) -> None:
        raise PermissionDeniedError("x - status code: 403 Forbidden: ")

    class Refused:
        __aiter__ = lambda self: self  # noqa: E731
        __anext__ = refuse

    bucket = open_bucket(ObjectAccess(f"file://{tmp_path}"))
    bucket.absence = known
    monkeypatch.setattr(obstore, "delete_async", refuse)
    monkeypatch.setattr(obstore, "list", lambda *_given, **_options: Refused())
    [(name, failure)] = runner.run(bucket.delete(["one"])).items()
    assert (name, str(failure)) == ("one", f"file://{tmp_path}: it answers 403 Forbidden")
    with pytest.raises(ContentUnreachable, match="403"):
        runner.run(names(bucket))
    assert bucket.absence == known


def test_a_part_has_the_time_of_the_slowest_upload(
    access: ObjectAccess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """obstore's `read_timeout` runs while a part is sent, so it would cut large mail short."""
    options: dict[str, Any] = {}

    def made(*_given: object, client_options: dict[str, Any], **_others: object) -> None:
        options.update(client_options)

    monkeypatch.setattr(obstore_bucket, "S3Store", made)
    open_bucket(access)
    assert "read_timeout" not in options
    two_parts = 2 * PART / obstore_bucket.SLOWEST_UPLOAD
    assert timedelta(seconds=two_parts) < options["timeout"]


async def test_few_uploads_run_at_once_and_waiting_has_an_end(
    bucket: ObstoreBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, may_end, are_begun = 0, asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        nonlocal begun
        begun += 1
        if begun == obstore_bucket.UPLOADS:
            are_begun.set()
        await may_end.wait()
        yield b"1"

    running = [asyncio.create_task(bucket.put(f"{n}", slow(), 1)) for n in range(8)]
    await asyncio.wait_for(are_begun.wait(), 60)
    monkeypatch.setattr(obstore_bucket, "TURN_SECONDS", 0.1)
    with pytest.raises(ContentUnreachable, match="too many requests wait"):
        await bucket.put("last", blocks(b"1"), 1)
    assert (begun, bucket.absence) == (obstore_bucket.UPLOADS, "")
    may_end.set()
    await asyncio.gather(*running)
    assert len(await names(bucket)) == 8


def test_a_secret_that_cannot_be_read_is_a_mismatch(object_server: ObjectServer) -> None:
    access = replace(object_server.access("x"), secret_key_file=object_server.place / "none")
    with pytest.raises(StoreMismatched, match="No such file"):
        open_bucket(access)


def test_a_certificate_authority_that_is_none_is_a_mismatch(object_server: ObjectServer) -> None:
    wrong = object_server.place / "ca.pem"
    wrong.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    access: ObjectAccess = replace(object_server.access("x"), ca_file=wrong)
    with pytest.raises(StoreMismatched, match=r"\[objects\] cannot be used"):
        open_bucket(access)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Generic S3 error: x - HTTP error\n kind: Timeout,", "no answer in time"),
        ('x - HTTP error\n message: "Connection refused",', "Connection refused"),
        ("x - status code: 503 Slow Down: <Code>SlowDown</Code>", "it answers SlowDown"),
        ("x - status code: 403 Forbidden: \n\nDebug", "it answers 403 Forbidden"),
        ("Generic error: a - b", "b"),
        ("", "an error without a text"),
    ],
)
def test_an_error_is_one_line(text: str, said: str) -> None:
    assert error_text(GenericError(text)) == said
    assert error_text(TimeoutError()) == "no answer in time"
