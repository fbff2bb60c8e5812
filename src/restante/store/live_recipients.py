"""The recipients of each domain in memory; RCPT is answered from them.

Only for domains that do not take mail for everybody. A domain whose entries could not be read yet
has none here, and its mail is taken. Our own failure is no reason to refuse anybody's.

A list may have a hundred thousand entries. So it is read by pages, and the old book counts until
the new one is whole. A page may be older than a change that is made meanwhile. The list is then
read again, after the reading that was under way.

The numbered changes, of any process, say which lists to read again. Limitation: facts that another
process has learned from a destination are known here when the list is next read (decision 0007 says
why).
"""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Final

from restante.store.live_directory import LiveDirectory
from restante.store.recipient_store import RecipientStore
from restante.tenancy.model import HostedDomain
from restante.tenancy.numbered_change import NumberedChange, RecordKind
from restante.tenancy.policy import DAY, RecipientPolicy
from restante.tenancy.recipients import Recipient, RecipientBook, RecipientSource

PAGE: Final = 1000
_OF_DOMAINS: Final = (RecordKind.DOMAIN, RecordKind.RECIPIENTS)
_NEW_AFTER: Final = DAY  # a known fact is written again only when it is older


async def recipient_pages(store: RecipientStore, domain_id: int) -> AsyncIterator[list[Recipient]]:
    """Yield a domain's recipients by source and name, so many at once that nobody waits for them.

    Raises StoreError.
    """
    last: Recipient | None = None
    while page := await store.recipients(domain_id, last, PAGE):
        yield page
        if len(page) < PAGE:
            return
        last = page[-1]


def list_digest(names: Iterable[str]) -> bytes:
    """Return a digest of the names of a list, in any order. For a thread: there may be many."""
    found = _new_digest()
    found.update(_digested(sorted(names)))
    return found.digest()


def _new_digest() -> "hashlib.blake2b":
    return hashlib.blake2b(digest_size=16)


def _digested(names: Iterable[str]) -> bytes:
    return "".join(f"{name}\n" for name in names).encode()


class LiveRecipients:
    """Holds the books."""

    def __init__(self, store: RecipientStore, directory: LiveDirectory) -> None:
        self._store = store
        self._directory = directory
        self._books: dict[int, RecipientBook] = {}  # by domain id
        self._reading: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._changing: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._unread: set[int] = set()  # ids of domains whose list was changed
        self._digests: dict[int, bytes] = {}  # of lists, until they change
        self._digesting: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._catching_up = asyncio.Lock()
        directory.on_numbered(self._note)

    def of(self, domain_id: int) -> RecipientBook | None:
        """Return a domain's book; None where there is none in memory."""
        return self._books.get(domain_id)

    def changing(self, domain_id: int) -> asyncio.Lock:
        """Return the lock to hold during a change of a domain's list, from first look to end."""
        return self._changing[domain_id]

    async def digest(self, domain_id: int) -> bytes:
        """Return a digest of a domain's list, the same in each process. Raises StoreError.

        It is kept until the list changes, as far as the changes are known here.
        """
        async with self._digesting[domain_id]:  # two readers would share one mark
            if kept := self._digests.get(domain_id):
                return kept
            self._digests[domain_id] = b""  # a change that comes meanwhile takes it away
            found = _new_digest()
            async for page in recipient_pages(self._store, domain_id):  # by name
                listed = (one.name for one in page if one.source is RecipientSource.LIST)
                found.update(_digested(listed))
            if domain_id in self._digests:
                self._digests[domain_id] = found.digest()
            return found.digest()

    async def load(self) -> None:
        """Read those of all domains that want it. Raises StoreError."""
        self._note(None)
        await self.catch_up()

    async def catch_up(self) -> None:
        """Read the lists that have changed as of the directory's last refresh. Raises StoreError.

        Call this after a change, before anybody is told that it is done.
        """
        async with self._catching_up:  # a list that another caller reads is not read yet
            for domain_id in sorted(self._unread):
                domain = self._directory.now.domain_by_id(domain_id)
                self._unread.discard(domain_id)  # first: another change may come meanwhile
                try:
                    if domain is not None:
                        await self.refresh(domain)
                except BaseException:
                    self._unread.add(domain_id)
                    raise

    def _note(self, changes: Sequence[NumberedChange] | None) -> None:
        """Forget the books that are no longer wanted, and note the lists to be read."""
        if changes is None:
            self._digests.clear()
            hosted = self._directory.now.domains.values()
            changed = {*self._books, *(domain.id for domain in hosted)}
            self._unread |= changed
        else:
            changed = {int(one.key) for one in changes if one.kind in _OF_DOMAINS}
            for domain_id in changed:
                self._digests.pop(domain_id, None)
            self._unread |= {int(one.key) for one in changes if one.kind is RecordKind.RECIPIENTS}
        for domain_id in changed:
            if not self._is_wanted(domain_id):
                self._books.pop(domain_id, None)
                self._unread.discard(domain_id)
            elif domain_id not in self._books:
                self._unread.add(domain_id)

    def _is_wanted(self, domain_id: int) -> bool:
        domain = self._directory.now.domain_by_id(domain_id)
        return domain is not None and domain.policy.recipients is not RecipientPolicy.ANY

    async def refresh(self, domain: HostedDomain) -> None:
        """Read a domain's again. Raises StoreError."""
        if domain.policy.recipients is RecipientPolicy.ANY:
            self._books.pop(domain.id, None)
            return
        async with self._reading[domain.id]:
            book = RecipientBook()
            async for page in recipient_pages(self._store, domain.id):
                book.add(page)
            if self._is_wanted(domain.id):  # still
                self._books[domain.id] = book

    async def learn(self, domain_id: int, facts: Sequence[Recipient]) -> None:
        """Keep what a destination said of mailboxes, as far as it is new. Raises StoreError."""
        book = self._books.get(domain_id)
        if book is None:
            return
        new_facts = [fact for fact in facts if _is_new(book, fact)]
        if not new_facts:
            return
        await self._store.learn(domain_id, new_facts)
        async with self._reading[domain_id]:  # a book that is being read may lack them
            if (book := self._books.get(domain_id)) is not None:
                book.learned |= {fact.name: (fact.is_there, fact.at) for fact in new_facts}


def _is_new(book: RecipientBook, fact: Recipient) -> bool:
    is_there, at = book.learned.get(fact.name, (None, 0.0))
    return is_there is not fact.is_there or fact.at - at > _NEW_AFTER
