"""Whether the store that a command needs is there: no command makes a new one by mistake."""

from restante.cli.failures import Exit, Failure
from restante.phrases import NO_STORE
from restante.store.store_url import parse_store_url


def check_store_is_there(url: str) -> None:
    """Raise Failure if the directory of an embedded store is missing. Others say so themselves."""
    directory = parse_store_url(url).directory
    if directory is not None and not directory.is_dir():
        remedy = "mount its disk, or put it back; an empty directory becomes a new store"
        raise Failure(Exit.NO_INPUT, f"{directory}: {NO_STORE}; {remedy}")
