"""The URL of a store: which kind it is, and where."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

_WRITE = 'write "sqlite:///DIRECTORY", such as "sqlite:///var/lib/restante"'


class StoreKind(StrEnum):
    """The kinds of store, by the scheme of their URLs."""

    SQLITE = "sqlite"
    MEMORY = "memory"  # forgets everything at its end: for tests


class StoreUrlUnusable(ValueError):  # noqa: N818  named like the other errors of a store
    """No store can be opened by this URL."""

    def __init__(self, cause: str, remedy: str) -> None:
        super().__init__(f"{cause}; {remedy}")
        self.cause = cause
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class StoreUrl:
    """A URL that was understood. `str` gives it back."""

    kind: StoreKind
    directory: Path | None = None  # of a store on SQLite; as given, perhaps relative

    def __str__(self) -> str:
        if self.directory is None:
            return f"{self.kind}:"
        return f"{self.kind}:{'//' if self.directory.is_absolute() else ''}{self.directory}"


def parse_store_url(text: str) -> StoreUrl:
    """Read `sqlite:///ABSOLUTE`, `sqlite:RELATIVE` or `memory:`. Raises StoreUrlUnusable."""
    scheme, _, rest = text.partition(":")
    if scheme in {"postgresql", "postgres"}:
        raise StoreUrlUnusable("PostgreSQL is not in this version yet", _WRITE)
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
