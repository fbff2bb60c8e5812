"""Content, and the domains that it is for, for the tests of filters."""

from collections.abc import AsyncIterator
from dataclasses import replace

from restante.checks.check import ClientFacts, ExaminedContent
from restante.mail.address import Mailbox
from restante.tenancy.policy import HygienePolicy, Policy
from tests.checks.signs import DOMAIN, STRANGER

CONTENT = b"Subject: x\r\n\r\ntext\r\n"


def content_facts(
    *policies: HygienePolicy,
    client: ClientFacts = STRANGER,
    reverse_path: Mailbox | None = None,
    octets: int = len(CONTENT),
) -> ExaminedContent:
    """A message for a domain of each policy; without any, of `defer`."""
    domains = tuple(
        replace(DOMAIN, id=number, name=f"d{number}.example", policy=Policy(hygiene=policy))
        for number, policy in enumerate(policies or (HygienePolicy.DEFER,), 1)
    )
    paths = tuple(f"x@{domain.name}" for domain in domains)
    return ExaminedContent(client, reverse_path, paths, octets, domains)


async def blocks_of(content: bytes = CONTENT, size: int = 65536) -> AsyncIterator[bytes]:
    """The content in blocks."""
    for start in range(0, len(content), size):
        yield content[start : start + size]
