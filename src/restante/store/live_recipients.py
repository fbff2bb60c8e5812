"""The recipients of each domain that RCPT is answered from: in memory, a domain's read again when they change.

Only of domains that do not take mail for everybody. A domain whose entries could not be read yet has none here, and its
mail is taken: our own failure is no reason to refuse anybody's.
"""

from collections.abc import Sequence
from typing import Final

from restante.store.interface import RecipientStore
from restante.store.live_directory import LiveDirectory
from restante.tenancy.model import HostedDomain
from restante.tenancy.policy import DAY, Recipients
from restante.tenancy.recipients import Recipient, RecipientBook, make_book

_NEWS_AFTER: Final = DAY  # what is known is written again only when it is older


class LiveRecipients:
    """Holds the books."""

    def __init__(self, store: RecipientStore, directory: LiveDirectory) -> None:
        self._store = store
        self._directory = directory
        self._books: dict[int, RecipientBook] = {}  # by domain id

    def of(self, domain_id: int) -> RecipientBook | None:
        """Return a domain's book; None where there is none in memory."""
        return self._books.get(domain_id)

    async def load(self) -> None:
        """Read those of all domains that want it. Raises StoreError."""
        for domain in self._directory.now.domains.values():
            await self.refresh(domain)

    async def refresh(self, domain: HostedDomain) -> None:
        """Read a domain's again. Whoever changes them, or the domain's policy, calls this before saying that it is done."""
        if domain.policy.recipients is Recipients.ANY:
            self._books.pop(domain.id, None)
        else:
            self._books[domain.id] = make_book(await self._store.recipients(domain.id))

    async def learn(self, domain_id: int, lessons: Sequence[Recipient]) -> None:
        """Keep what a destination said of mailboxes, as far as it is news. Raises StoreError."""
        book = self._books.get(domain_id)
        if book is None:
            return
        news = [lesson for lesson in lessons if _is_news(book, lesson)]
        if news:
            await self._store.learn(domain_id, news)
            book.learned |= {lesson.name: (lesson.is_there, lesson.at) for lesson in news}


def _is_news(book: RecipientBook, lesson: Recipient) -> bool:
    is_there, at = book.learned.get(lesson.name, (None, 0.0))
    return is_there is not lesson.is_there or lesson.at - at > _NEWS_AFTER
