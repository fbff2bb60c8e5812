"""The errors of a store. Each says what is known about the data afterwards."""


class StoreError(Exception):
    """The store could not do it, and nothing changed.

    Time may cure it: 451 to a client, 458 to a request.

    After a failed sync only reopening shows the state. Mail in flight may then be there; if its
    client got 451 and sends it again, it comes twice. Until then every call raises this.
    """


class StoreFull(StoreError):  # noqa: N818
    """There is no room on the disk, and nothing changed.

    Mail that leaves makes some: 452 to a sender.
    """


class OverQuota(StoreError):  # noqa: N818
    """The domain or its account may hold no more. Mail that leaves makes room: 452 to a sender."""


class StoreUnreachable(StoreError):  # noqa: N818
    """The store cannot be reached at present, and nothing changed. Time cures it."""


class ContentUnreachable(StoreUnreachable):
    """Large content cannot be reached or kept at present; all other mail can. Time cures it."""


class Damaged(StoreError):  # noqa: N818
    """Content is not what was written, or is not there. No time cures it."""


class LeaseLost(StoreError):  # noqa: N818  it is an event of the protocol, not a fault
    """Another drain owns the domain now; this one must stop. Nothing was settled."""


class Conflict(StoreError):  # noqa: N818
    """The record is already there, or was changed or removed meanwhile. Nothing changed."""


class Overtaken(Conflict):
    """The record was changed since the caller read it. Nothing changed."""


class TargetUnusable(StoreError):  # noqa: N818
    """The server may not write a copy there. No time cures it: the text says what to do."""


class StoreUnusable(StoreError):  # noqa: N818
    """The store cannot be opened: another server holds it, or schema or engine do not fit.

    The text says which and what to do.
    """


class StoreInUse(StoreUnusable):
    """Another process has the store open. It can be talked to, or be stopped."""

    def __init__(self, cause: str, remedy: str) -> None:
        """`cause` names the store and the process."""
        super().__init__(f"{cause}: {remedy}")
        self.cause = cause

    @property
    def without_it(self) -> str:
        """The text for work that needs the store for itself."""
        return f"{self.cause}: stop the server first, then run this again"


class StoreMisplaced(StoreUnusable):
    """Something that is no store stands in its place. Opening it again cures nothing."""


class StoreMismatched(StoreUnusable):
    """The store is sound, but this program is not made for it, or has not the key of it.

    Opening it again cures nothing. The text says what to do.
    """


class StoreDamaged(StoreUnusable):
    """The database is not what was written.

    Opening it again cures nothing: the readable part must be salvaged.
    """


class CareUnsupported(StoreError):  # noqa: N818
    """A store of this kind cannot do it, as things are. No time cures it.

    The text names the alternative.
    """


class SearchTooLong(StoreError):  # noqa: N818
    """A search looked at too much, and was ended so that others need not wait. Nothing changed."""


class NotEmpty(StoreError):  # noqa: N818
    """A directory that a copy must be written to has something in it. No time cures it."""


class DutyLost(StoreError):  # noqa: N818  as LeaseLost
    """Another process of this store does the work now."""


class MoveDiffers(StoreError):  # noqa: N818
    """A store that was moved differs from its source. No time cures it."""
