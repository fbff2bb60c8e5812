"""The URL of a store: which kind it is, and where."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlsplit

_WRITE: Final = (
    'write "sqlite:///DIRECTORY", such as "sqlite:///var/lib/restante", or'
    ' "postgresql://USER@HOST/DATABASE"'
)
_SECRETS: Final = frozenset({"password", "sslpassword"})  # of the query of a database's URL


class StoreKind(StrEnum):
    """The kinds of store, by the scheme of their URLs."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"  # shared by several servers
    MEMORY = "memory"  # forgets everything at its end: for tests


class StoreUrlUnusable(ValueError):  # noqa: N818  named like the other errors of a store
    """No store can be opened by this URL. The text has nothing of it, as it may have a password."""

    def __init__(self, cause: str, remedy: str) -> None:
        super().__init__(f"{cause}; {remedy}")
        self.cause = cause
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class StoreUrl:
    """A URL that was understood. `str` gives it back."""

    kind: StoreKind
    directory: Path | None = None  # of a store on SQLite; as given, perhaps relative
    database: str = ""  # the URL of a database of PostgreSQL, without any password

    def __str__(self) -> str:
        if self.database:
            return self.database
        if self.directory is None:
            return f"{self.kind}:"
        return f"{self.kind}:{'//' if self.directory.is_absolute() else ''}{self.directory}"


def parse_store_url(text: str) -> StoreUrl:
    """Read the URL of a store. Raises StoreUrlUnusable.

    It is `sqlite:///ABSOLUTE`, `sqlite:RELATIVE`, `memory:`, or a URL of libpq:
    `postgresql://USER@HOST,HOST/DATABASE?OPTION=VALUE`.
    """
    scheme, _, rest = text.partition(":")
    if scheme in {"postgresql", "postgres"}:
        return _database_url(rest)
    if text == "memory:":
        return StoreUrl(StoreKind.MEMORY)
    path = rest.removeprefix("//") if rest.startswith("///") else rest
    if scheme != "sqlite" or not path or path.startswith("//"):
        raise StoreUrlUnusable("is not the URL of a store", _WRITE)
    return StoreUrl(StoreKind.SQLITE, Path(path))


def store_directory(url: str) -> Path:
    """Return the directory of an embedded store. Raises StoreUrlUnusable for another kind."""
    directory = parse_store_url(url).directory
    if directory is None:
        raise StoreUrlUnusable("has no directory", _WRITE)
    return directory


def _database_url(rest: str) -> StoreUrl:
    """Read the part of a database's URL after its scheme."""
    try:
        parts = urlsplit(f"postgresql:{rest}")
        options = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        raise StoreUrlUnusable("is not the URL of a database", _WRITE) from None
    user, _, _ = parts.netloc.rpartition("@")
    if ":" in user or any(name in _SECRETS for name, _ in options):
        raise StoreUrlUnusable(
            "has a password, which others could read",
            "write the password into a file of mode 0600, and name that as store_password_file",
        )
    is_named = parts.path.strip("/") or any(name in {"dbname", "database"} for name, _ in options)
    if not rest.startswith("//") or not is_named or parts.fragment:
        raise StoreUrlUnusable("does not name a database", _WRITE)
    return StoreUrl(StoreKind.POSTGRESQL, database=f"postgresql:{rest}")
