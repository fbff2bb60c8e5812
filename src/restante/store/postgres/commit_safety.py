"""Whether a commit of the database survives the loss of the primary's machine. Pure.

Facts are the settings of a session and the standbys that are connected. PostgreSQL's documentation
has the meaning of each setting (chapter 19, "Replication" and "Write Ahead Log").
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

_WAITING_COMMITS: Final = ("on", "remote_apply", "remote_write")
_TOKEN: Final = re.compile(
    r'\s*(?:"(?P<quoted>(?:[^"]|"")+)"|(?P<word>[A-Za-z_\x80-\U0010ffff][\w$]*|[0-9]+|\*)'
    r"|(?P<mark>[(),]))"
)
_KEYWORDS: Final = (("word", "FIRST"), ("word", "ANY"))  # names only in quotation marks


class StandbyMethod(Enum):
    """How the synchronous standbys are chosen from the names; the value is their `sync_state`."""

    FIRST = "sync"
    ANY = "quorum"


@dataclass(frozen=True, slots=True)
class SynchronousStandbys:
    """A value of `synchronous_standby_names`: each commit waits for so many of these."""

    method: StandbyMethod
    number: int
    names: tuple[str, ...]  # "*": any


class CommitSafety(Enum):
    """The fate of a commit that was answered, as far as it is known."""

    SAFE = auto()
    UNSAFE = auto()  # it can be lost with the primary's machine
    WAITING = auto()  # none is answered until more standbys are connected
    UNKNOWN = auto()  # this role may not see enough


@dataclass(frozen=True, slots=True)
class CommitVerdict:
    """The judgment, with its cause and a remedy unless it is SAFE."""

    safety: CommitSafety
    cause: str = ""
    remedy: str = ""

    @property
    def text(self) -> str:
        """The cause and the remedy, for a person."""
        return f"{self.cause}; {self.remedy}" if self.cause else ""


@dataclass(frozen=True, slots=True)
class CommitFacts:
    """The settings of a session, and the `sync_state` of each connected standby; "": hidden."""

    synchronous_commit: str
    synchronous_standby_names: str
    fsync: bool
    full_page_writes: bool
    max_wal_senders: int
    sync_states: Sequence[str]


SAFE: Final = CommitVerdict(CommitSafety.SAFE)
_NAME_STANDBYS: Final = (
    "set synchronous_standby_names, such as 'ANY 1 (standby1, standby2)', or set"
    ' rpo = "accept-loss"'
)


def judge_commits(facts: CommitFacts) -> CommitVerdict:
    """Judge the commits of sessions with these settings."""
    for setting, is_on in (
        ("fsync", facts.fsync),
        ("full_page_writes", facts.full_page_writes),
    ):
        if not is_on:
            return _unsafe(f"the database has {setting} = off", f"set {setting} = on")
    if facts.synchronous_commit not in _WAITING_COMMITS:
        return _unsafe(
            f"the database has synchronous_commit = {facts.synchronous_commit}, so no commit waits"
            " for a standby",
            "set synchronous_commit = on",
        )
    if facts.max_wal_senders == 0:  # then the database ignores the names
        return _unsafe(
            "the database has max_wal_senders = 0, so no standby can connect", "raise it"
        )
    if not facts.synchronous_standby_names:
        return _unsafe("no commit waits for a standby", _NAME_STANDBYS)
    standbys = parse_standby_names(facts.synchronous_standby_names)
    if standbys is None:
        return CommitVerdict(
            CommitSafety.UNKNOWN,
            f"synchronous_standby_names = '{facts.synchronous_standby_names}' cannot be read",
            _NAME_STANDBYS,
        )
    return _of_connected(standbys, facts.sync_states)


def parse_standby_names(text: str) -> SynchronousStandbys | None:
    """Read a value of `synchronous_standby_names` as PostgreSQL does; None: it is none.

    `FIRST n (names)`, `ANY n (names)`, `n (names)`, or a list of names, which is FIRST 1.
    """
    match _tokens(text.strip()):
        case [("word", method), ("word", number), ("mark", "("), *listed, ("mark", ")")]:
            return _standbys(method.upper(), number, _names(listed))
        case [("word", number), ("mark", "("), *listed, ("mark", ")")]:
            return _standbys("FIRST", number, _names(listed))
        case listed:
            return _standbys("FIRST", "1", _names(listed or []))


def _standbys(
    method: str, number: str, names: tuple[str, ...] | None
) -> SynchronousStandbys | None:
    if method in StandbyMethod.__members__ and number.isdecimal() and int(number) and names:
        return SynchronousStandbys(StandbyMethod[method], int(number), names)
    return None


def _of_connected(standbys: SynchronousStandbys, sync_states: Sequence[str]) -> CommitVerdict:
    connected = sum(state == standbys.method.value for state in sync_states)
    if connected >= standbys.number:
        return SAFE
    if "" in sync_states:
        return CommitVerdict(
            CommitSafety.UNKNOWN,
            "this role may not see the standbys of the database",
            "GRANT pg_read_all_stats to it",
        )
    return CommitVerdict(
        CommitSafety.WAITING,
        f"each commit waits for {standbys.number} synchronous standby(s), and {connected} of them"
        " are connected",
        "start them, or look why they do not connect",
    )


def _unsafe(cause: str, remedy: str) -> CommitVerdict:
    return CommitVerdict(CommitSafety.UNSAFE, cause, remedy)


def _tokens(text: str) -> list[tuple[str, str]] | None:
    """Return the kind and the text of each token; None if something is none."""
    found = []
    place = 0
    while place < len(text):
        token = _TOKEN.match(text, place)
        if token is None:
            return None
        kind = str(token.lastgroup)
        found.append((kind, token[kind]))
        place = token.end()
    return found


def _names(tokens: Sequence[tuple[str, str]]) -> tuple[str, ...] | None:
    """Read names with commas between them."""
    names, commas = tokens[::2], tokens[1::2]
    if len(names) != len(commas) + 1 or any(comma != ("mark", ",") for comma in commas):
        return None
    if any(kind == "mark" or (kind, text.upper()) in _KEYWORDS for kind, text in names):
        return None
    return tuple(
        text.replace('""', '"') if kind == "quoted" else text.lower() for kind, text in names
    )
