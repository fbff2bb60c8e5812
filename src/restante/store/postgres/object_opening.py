"""Opening the object store of a store on PostgreSQL, beside its database."""

import secrets

from restante.phrases import INSTALL_OBJECT_DRIVER, NO_OBJECT_DRIVER
from restante.store.object_access import ObjectAccess
from restante.store.object_driver import object_driver_is_installed
from restante.store.postgres import object_queries
from restante.store.postgres.content_objects import ContentObjects
from restante.store.postgres.database_session import DatabaseSession
from restante.store.postgres.postgres_schema import VERSION
from restante.store.store_errors import StoreMismatched

_NOT_SET = (
    "large content of this store is in an object store, and [objects] is not set; set it as on the"
    " other servers"
)


async def open_objects(
    session: DatabaseSession, access: ObjectAccess | None
) -> ContentObjects | None:
    """Return the object store, which is not asked yet. Raises StoreMismatched.

    The first one to do so marks the database, and keeps programs away that know no objects. The
    mark has its URL. Only that place is ever marked as new, so that of a mistyped URL never is.
    """
    [(has_objects,)] = await session.fetch(object_queries.HAS_OBJECTS)
    if access is None:
        if has_objects:
            raise StoreMismatched(_NOT_SET)
        return None
    check_object_driver()
    rows = await session.fetch(object_queries.MARK)
    if not rows:
        async with session.transaction():
            mark = f"restante {secrets.token_hex(16)} {access.url}"
            await session.fetch(object_queries.ADD_MARK, mark)
            await session.fetch(object_queries.EXCLUDE_OLDER, VERSION)
        rows = await session.fetch(object_queries.MARK)
    return make_objects(access, rows[0][0], is_new=not has_objects)


def make_objects(access: ObjectAccess, mark: str, *, is_new: bool) -> ContentObjects:
    """Return an object store, which is not asked yet. Raises StoreMismatched."""
    from restante.store.postgres.obstore_bucket import open_bucket  # noqa: PLC0415  an extra

    objects = ContentObjects(open_bucket(access), access, mark, is_new=is_new)
    objects.begin()
    return objects


def check_object_driver() -> None:
    """Raise StoreMismatched if the library is missing."""
    if not object_driver_is_installed():
        raise StoreMismatched(f"{NO_OBJECT_DRIVER}; {INSTALL_OBJECT_DRIVER}")
