"""Checks for tests, of each kind: a filter of content, state for a session, a list of addresses."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from restante.checks.check import (
    CheckAnswer,
    CheckSession,
    Examination,
    ExaminedContent,
    ExaminedRecipient,
    SimpleCheck,
)
from restante.checks.verdict import (
    PASSED,
    CheckField,
    CheckPassed,
    CheckRefused,
    CheckUndecided,
    CheckVerdict,
    refuse,
)

MALWARE = b"EICAR"
INFECTED = refuse(554, "5.7.0", "Malware found", "EICAR")
LISTED = refuse(450, "4.7.1", "Listed, try again later", "list.example")


class ContentFilter(SimpleCheck):
    """Reads whole content, as rspamd would: refuses one pattern, scores the rest by its size."""

    name = "filter"
    reads_content = True

    def __init__(self) -> None:
        self.read: list[bytes] = []

    async def content(self, facts: ExaminedContent, blocks: AsyncIterator[bytes]) -> CheckVerdict:
        found = bytearray()
        async for block in blocks:
            found += block
        self.read.append(bytes(found))
        assert facts.octets == len(found)
        if MALWARE in found:
            return INFECTED
        score = len(found) / 1000
        return CheckPassed(("HAS_SIZE",), score, (CheckField("X-Filter", f"score={score:g}"),))


@dataclass
class Waiting(SimpleCheck):
    """Answers when it is allowed to, about recipients or content."""

    name: str = "waiting"
    about: str = "content"
    verdict: CheckVerdict = PASSED
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)
    has_begun: asyncio.Event = field(default_factory=asyncio.Event)
    running: int = 0
    most_running: int = 0
    cut_short: int = 0

    def recipient(self, facts: ExaminedRecipient) -> CheckAnswer:
        return self._answer() if self.about == "recipient" else PASSED

    @property
    def reads_content(self) -> bool:  # type: ignore[override]
        return self.about == "content"

    async def content(self, facts: ExaminedContent, blocks: AsyncIterator[bytes]) -> CheckVerdict:
        return await self._answer()

    async def _answer(self) -> CheckVerdict:
        self.running += 1
        self.has_begun.set()
        self.most_running = max(self.most_running, self.running)
        try:
            await self.may_answer.wait()
        except asyncio.CancelledError:
            self.cut_short += 1
            raise
        finally:
            self.running -= 1
        return self.verdict


class AddressList(SimpleCheck):
    """Refuses listed addresses for a while, after a look-up, as a DNS block list would."""

    name = "list"

    def __init__(self, *listed: str) -> None:
        self.listed = set(listed)

    async def recipient(self, facts: ExaminedRecipient) -> CheckVerdict:
        await asyncio.sleep(0)  # the look-up
        return LISTED if str(facts.client.address) in self.listed else PASSED


class DomainSign(SimpleCheck):
    """Finds something in mail for one domain alone."""

    name = "sign"

    def __init__(self, domain: str) -> None:
        self.domain = domain

    def recipient(self, facts: ExaminedRecipient) -> CheckAnswer:
        if facts.domain.name != self.domain:
            return PASSED
        return CheckPassed(("listed",), 3, (CheckField("X-Sign", "listed"),), is_suspect=True)


class Undecided(SimpleCheck):
    """Never knows."""

    name = "undecided"

    def recipient(self, facts: ExaminedRecipient) -> CheckAnswer:
        return CheckUndecided("no answer from list.example")


class Broken(SimpleCheck):
    """Fails wherever it is told to."""

    name = "broken"
    reads_content = True

    def __init__(self, *places: str) -> None:
        self.places = places

    def _pass(self, place: str) -> None:
        if place in self.places:
            raise OSError(f"broken at {place}")

    def open(self) -> CheckSession:
        self._pass("open")
        return self

    def recipient(self, facts: ExaminedRecipient) -> CheckAnswer:
        self._pass("recipient")
        return self._examine("recipient later")

    def content(self, facts: ExaminedContent, blocks: AsyncIterator[bytes]) -> Examination:
        self._pass("content")
        return self._examine("content later")

    async def _examine(self, place: str) -> CheckVerdict:
        await asyncio.sleep(0)
        self._pass(place)
        return PASSED

    def abort(self) -> None:
        self._pass("abort")

    def close(self) -> None:
        self._pass("close")


class Milter:
    """Has state for each session, as a milter's connection is."""

    name = "milter"
    is_on = True
    reads_content = True

    def __init__(self) -> None:
        self.sessions: list[list[str]] = []

    def open(self) -> CheckSession:
        self.sessions.append(["open"])
        return MilterSession(self.sessions[-1])


@dataclass
class MilterSession:
    """One of its sessions: keeps what it was told, in order."""

    told: list[str]

    async def recipient(self, facts: ExaminedRecipient) -> CheckPassed | CheckRefused:
        self.told.append(f"recipient {facts.path}")
        return PASSED

    async def content(self, facts: ExaminedContent, blocks: AsyncIterator[bytes]) -> CheckVerdict:
        size = 0
        async for block in blocks:
            size += len(block)
        self.told.append(f"content {size}")
        return PASSED

    def abort(self) -> None:
        self.told.append("abort")

    def close(self) -> None:
        self.told.append("close")
