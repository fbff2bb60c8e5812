"""One wording for each fact that several parts of the program state.

The command line, the API, the log, the audit trail, notices and SMTP replies take it from here. A
text is a cause or a remedy. The caller puts the thing before it: `domain a.example: is not hosted
here; …`. A test proves that no other module spells these texts itself.
"""

import errno
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Final

# The server

NO_SERVER: Final = "no server is running"
START_SERVER: Final = "start it: restante serve --config FILE"
OTHER_SERVER: Final = "another server is running there; stop it first"
NO_USER: Final = "there is no such user on this machine"
LOW_DISK: Final = "less than reception.disk_reserve is free on the store's disk"

# The store

NO_STORE: Final = "the directory of the store does not exist"
NO_DATABASE_DRIVER: Final = "a store on PostgreSQL needs a library that is not installed"
NO_OBJECT_DRIVER: Final = "an object store needs a library that is not installed"
INSTALL_OBJECT_DRIVER: Final = "install it: pip install 'restante[objects]'"
INSTALL_DATABASE_DRIVER: Final = "install it: pip install 'restante[postgres]'"
FOREIGN_KEY_FILE: Final = (
    "differs from the key file of the other servers of this store, so it cannot decrypt secrets;"
    " copy theirs"
)
MAIL_OF_ANOTHER_KEY: Final = (
    "the mail of this store is sealed under another key file; restore that one from your copy"
)
SECRETS_OF_ANOTHER_KEY: Final = (
    "the passwords and secrets of this store are sealed under another key file; restore that one"
    " from your copy"
)
WRONG_KEY_FILE: Final = "cannot be opened with this key file"

# Records

NOT_HOSTED: Final = "is not hosted here"
NO_LONGER_HOSTED: Final = "the domain is no longer hosted"
EXISTS: Final = "is there already"
BY_ATRN_ONLY: Final = "the domain has no destination: its mail leaves by ATRN only"
REMOVED_MEANWHILE: Final = "was removed meanwhile"
CHANGED_MEANWHILE: Final = "was changed by somebody else meanwhile"

# Mail

NOTHING_WAITS: Final = "no messages waiting"
NOT_QUEUED: Final = "is not in the queue"
MAY_HAVE_LEFT: Final = "it may be delivered or deleted: `restante queue list` shows what is there"
REPORT_GONE: Final = "does not wait"
REPORT_MAY_HAVE_LEFT: Final = "it may be sent, or have been dropped"

# Certificates

HAS_EXPIRED: Final = "has expired"
EXPIRES: Final = "expires in"  # so many days
RENEW: Final = "renew it and reload"


_LENGTHS_APART: Final = 3
_MOST_COMPARED: Final = 500  # of 16 characters, that takes 5 ms


def suspended(domain: str, reason: str) -> str:
    """Return the fact that a domain is suspended, and why."""
    return f"{domain} is suspended: {reason}"


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Return a question for the one of the names that is most like this one; "" if none is.

    Only names of nearly the same length with the same first character are compared: there may be
    ten thousand.
    """
    alike = (
        one for one in names if one[:1] == name[:1] and abs(len(one) - len(name)) <= _LENGTHS_APART
    )
    from difflib import get_close_matches  # noqa: PLC0415  for mistakes only

    close = get_close_matches(name, islice(alike, _MOST_COMPARED), n=1, cutoff=0.75)
    return f"did you mean {close[0]}?" if close else ""


def none_of_that_name(account: str) -> str:
    """Return the fact that an account, "" for the operator, has no login or channel of a name."""
    return f"{f'account {account}' if account else 'the operator'} has none of that name"


def remedy_for_address(error: OSError, table: str) -> str:
    """Return the remedy for an address that cannot be bound; `table` has the address."""
    if error.errno == errno.EADDRINUSE:
        return f"stop what uses it, or name another address in {table}"
    if error.errno == errno.EINVAL:  # a link-local address without its zone
        return f"write it with its zone, as in [fe80::1%eth0]:25, in {table}"
    if error.errno == errno.EAFNOSUPPORT:
        return f"this system has no IPv6: name an IPv4 address in {table}"
    return f"name an address of this machine in {table}"


# Errors that often have no text: people do not know the names of their classes.
_WORDLESS: Final[Mapping[type[BaseException], str]] = {
    TimeoutError: "no answer in time",
    EOFError: "it ended too early",
    ConnectionError: "the connection was closed",
    MemoryError: "not enough memory",
    UnicodeError: "it has octets that are not text",
}
_NO_CAUSE: Final = "no cause was given"


def cause_of(error: BaseException) -> str:
    """Return an error's cause in words: no class name, and no raw number.

    The name of its file comes first, if it has one.
    """
    if isinstance(error, OSError) and error.strerror:
        named = error.filename
        return f"{named}: {error.strerror}" if named is not None else error.strerror
    if isinstance(error, KeyError):
        return f"{error} is missing"
    return str(error) or next(
        (text for kind, text in _WORDLESS.items() if isinstance(error, kind)), _NO_CAUSE
    )
