"""What a store may raise. Each says what is known about the data afterwards."""


class StoreError(Exception):
    """The store could not do it, and nothing changed.

    Time may cure it: 451 to a sender, 458 to an asker.

    After a failed sync only reopening tells: what was in flight may then be there, so that mail
    whose sender heard 451 and sends it again comes twice. Until then every call raises this.
    """


class StoreFull(StoreError):  # noqa: N818
    """There is no room on the disk, and nothing changed.

    Mail that leaves makes some: 452 to a sender.
    """


class Damaged(StoreError):  # noqa: N818
    """Content is not what was written, or is not there. No time cures it."""


class LeaseLost(StoreError):  # noqa: N818  it is an event of the protocol, not a fault
    """Another drain owns the domain now; this one must stop. Nothing was settled."""


class Conflict(StoreError):  # noqa: N818
    """The record is already there, or was changed or removed meanwhile. Nothing changed."""


class StoreUnusable(StoreError):  # noqa: N818
    """The store cannot be opened: another server holds it, its schema is newer, its engine is too old.

    The text says which and what to do.
    """


class StoreDamaged(StoreUnusable):
    """The database is not what was written.

    Opening it again cures nothing: the readable part must be salvaged.
    """


class NotEmpty(StoreError):  # noqa: N818
    """A directory that a copy is to be written to has something in it. No time cures it."""
