"""Messages, records and outcomes, for tests that do not depend on most of their fields."""

import zlib
from collections.abc import AsyncIterator

from restante.mail.delivery_report import NewReport, ReportAction
from restante.mail.envelope import Envelope
from restante.mail.message import ContentFile, HeldMessage, NewMessage
from restante.mail.sealed_size import HEAD_EXTRA
from restante.queue.recipient_status import MessageOutcome, RecipientMove, RecipientOutcome
from restante.store.handover_store import Drain
from restante.store.interface import Store
from restante.store.sealing.sealed_store import SealedStore
from restante.tenancy.audit import AuditAction, AuditEntry
from restante.tenancy.history_detail import HistoryDetail
from restante.tenancy.model import Account, AuthorizedHosts, Destination, HostedDomain, Login

NOTED = AuditEntry(1.0, AuditAction.DOMAIN_CHANGED, "operator", "a test")

ANNA = "anna@alpha.example"
BERT = "bert@alpha.example"
CARL = "carl@alpha.example"

CONTENT = b"Received: by mx2.example.net\r\nSubject: hello\r\n\r\nhello\r\n"


def account(name: str = "alpha", history: HistoryDetail = HistoryDetail.FULL) -> Account:
    """An account."""
    return Account(name, created_at=100.0, history=history)


def login(user: str = "alice", of: str = "alpha") -> Login:
    """A login of an account."""
    return Login(user, of, "$argon2id$", sealed_secret=b"\0sealed", created_at=101.0)


def domain(name: str = "alpha.example", of: str = "alpha") -> HostedDomain:
    """A hosted domain that is not in a store yet."""
    return HostedDomain(
        0, name, of, Destination("mail." + name), AuthorizedHosts(), created_at=102.0
    )


async def hosted(store: Store, name: str = "alpha.example") -> int:
    """Put account and domain in a store; return the domain's id."""
    await store.records.put_account(account(), NOTED)
    return (await store.records.put_domain(domain(name), NOTED)).id


def message(
    number: int,
    domain_id: int,
    *to: str,
    reverse_path: str = "bob@example.org",
    received_at: float = 0.0,
    head: bytes = CONTENT,
    file: ContentFile | None = None,
) -> NewMessage:
    """A message, by default to Anna, and received at the second of its number."""
    envelope = Envelope(reverse_path, to or (ANNA,))
    return NewMessage(number, domain_id, envelope, received_at or float(number), head, file)


def is_sealed(store: Store) -> bool:
    """Tell whether a store keeps its content sealed."""
    return isinstance(store, SealedStore)


def sealing_octets(store: Store) -> int:
    """Return by how much a store's form of a small message is larger than its content."""
    return HEAD_EXTRA if is_sealed(store) else 0


async def hold(store: Store, domain_id: int, *numbers: int) -> None:
    """Hold messages of these numbers to Anna."""
    await store.reception.hold([message(number, domain_id) for number in numbers])


def last_number(store: Store) -> int:
    """Return the highest number that the store does not hand out any more."""
    return store.reception.numbers().last


async def opened(
    store: Store, domain_id: int, requested_at: float = 0.0, deadline: float = 60.0
) -> Drain:
    """Open a drain of a domain that has none."""
    drain = await store.handover.open_drain(domain_id, requested_at, deadline)
    assert isinstance(drain, Drain)
    return drain


async def taken_over(store: Store, drain: Drain) -> Drain:
    """Take over a drain that is in force."""
    taken = await store.handover.take_over(drain)
    assert taken is not None
    return taken


async def spooled(store: Store, *blocks: bytes) -> ContentFile:
    """Put content in a file."""
    spool = store.reception.open_spool()
    for block in blocks:
        await spool.write(block)
    return await spool.close()


async def content(blocks: AsyncIterator[bytes]) -> bytes:
    """Read a content file to its end."""
    return b"".join([block async for block in blocks])


def content_file(name: str, octets: bytes) -> ContentFile:
    """A reference to these octets under this name."""
    return ContentFile(name, len(octets), zlib.crc32(octets))


def delivered(number: int, *paths: str) -> MessageOutcome:
    """The destination took these; Anna, if nobody is named."""
    return MessageOutcome(
        number, tuple(RecipientOutcome(path, RecipientMove.DELIVERED) for path in paths or (ANNA,))
    )


def refused(number: int, *paths: str, reply: str = "550 5.1.1 no such user") -> MessageOutcome:
    """The destination refused these permanently; Anna, if nobody is named."""
    return MessageOutcome(
        number,
        tuple(RecipientOutcome(path, RecipientMove.REFUSED, reply) for path in paths or (ANNA,)),
    )


def deferred(number: int, *paths: str, reply: str = "450 4.2.1 try later") -> MessageOutcome:
    """The destination wants these later; Anna, if nobody is named."""
    return MessageOutcome(
        number,
        tuple(RecipientOutcome(path, RecipientMove.DEFERRED, reply) for path in paths or (ANNA,)),
    )


def report(
    about: int,
    domain_id: int,
    *paths: str,
    action: ReportAction = ReportAction.FAILED,
    made_at: float = 50.0,
) -> NewReport:
    """A report on a message, by default on Anna."""
    told = paths or (ANNA,)
    return NewReport(
        about, domain_id, action, told, "bob@example.org", b"report on %d\r\n" % about, made_at
    )


async def all_held(store: Store, domain_id: int) -> list[HeldMessage]:
    """Everything that a release would hand over."""
    return await store.handover.held(domain_id, after=0, limit=1000, max_octets=1 << 30)


async def held_numbers(store: Store, domain_id: int) -> list[int]:
    """The numbers of everything that a release would hand over."""
    return [one.number for one in await all_held(store, domain_id)]


async def waiting(store: Store, number: int) -> tuple[str, ...]:
    """The recipients of a message that a release would hand over."""
    mail = [
        one
        for domain_id in store.figures.usages()
        for one in await all_held(store, domain_id)
        if one.number == number
    ]
    return mail[0].envelope.forward_paths if mail else ()


def uncertain(number: int, *paths: str, reply: str = "cannot be read: 'OK'") -> MessageOutcome:
    """The outcome of a message whose final reply could not be read for the third time."""
    recipients = tuple(
        RecipientOutcome(path, RecipientMove.UNCERTAIN, reply) for path in paths or (ANNA,)
    )
    return MessageOutcome(number, recipients, doubts=3)
