"""The table of hostile destinations: where each misbehaves, and the result that must follow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tests.acceptance.hostile_destination import (
    Act,
    Place,
    Trap,
    adds,
    begins_and_hangs_up,
    changes,
    drips,
    floods,
    hangs_up,
    is_late,
    says,
    stops_reading,
)
from tests.acceptance.sample import message

OFFERS: Final = {
    "pipelining": b"PIPELINING",
    "plain": b"HELP",
    "ahead": b"PIPELINING CHUNKING",
}  # a column each
SMALL: Final = [message(f"number {number}", b".\r\n..\r\nbody\r\n") for number in (1, 2, 3)]
LARGE: Final = message(
    "large", b"".join(b".line %07d of a large message\r\n" % number for number in range(130_000))
)

NO_REPLY: Final = "no SMTP reply"
OUT_OF_STEP: Final = (
    "an unexpected reply|no reply to |more replies than commands|cannot be told apart"
)
GONE: Final = "closed the connection|[Cc]onnection reset|Broken pipe"
TIMED_OUT: Final = "timed out waiting for"
NOT_YET: Final = f"{NO_REPLY}|{TIMED_OUT}"  # where it might still become a line
LF_WITHIN: Final = "a bare LF within a reply"
END_LOST: Final = "the end of the last reply was not found"
ONE_IS_LEFT: Final = "every message was tried, 1 message was deferred"
ONE_IS_REFUSED: Final = "all mail was tried: 1 refused"
END_OF_ALL: Final = "everything was handed over"

# Acts where a reply is due, and the reason that the drain then gives.
ANSWERS: Final[dict[str, tuple[Act, str]]] = {
    "octets": (says(bytes(range(256))), NO_REPLY),
    "HTTP": (says(b"HTTP/1.1 400 Bad Request\r\nServer: x\r\nContent-Length: 0\r\n\r\n"), NO_REPLY),
    "a TLS record": (says(b"\x16\x03\x03\x00\x05hello"), NOT_YET),
    "an empty line": (
        says(b"\r\n"),
        f"{TIMED_OUT}|{OUT_OF_STEP}",
    ),  # the next reply may come in its place
    "no code": (says(b"OK go on\r\n"), NO_REPLY),
    "code 099": (says(b"099 OK\r\n"), NO_REPLY),
    "code 199": (says(b"199 OK\r\n"), NO_REPLY),
    "code 999": (says(b"999 OK\r\n"), NO_REPLY),
    "code 2x0": (says(b"2x0 OK\r\n"), NO_REPLY),
    "code 25": (says(b"25 OK\r\n"), NO_REPLY),
    "code 2500": (says(b"2500 OK\r\n"), NO_REPLY),
    "Arabic digits": (says("\u0662\u0665\u0660 OK\r\n".encode()), NO_REPLY),
    "code 299": (says(b"299 hm\r\n"), OUT_OF_STEP),
    "lines end with LF": (changes(b"\r\n", b"\n"), END_LOST),
    "lines end with CR": (changes(b"\r\n", b"\r"), NOT_YET),
    "LF in a line": (says(b"250-one\n250 two\r\n"), f"{LF_WITHIN}|{OUT_OF_STEP}"),
    "the code changes": (says(b"250-one\r\n251 two\r\n"), OUT_OF_STEP),
    "the first digit changes": (says(b"250-one\r\n451 two\r\n"), "changes from 250 to 451"),
    "a line without end": (floods(b"2"), NO_REPLY),
    "a text without end": (floods(b"250 and more and more"), f"{END_LOST}|{OUT_OF_STEP}"),
    "a reply without end": (floods(b"250-more\r\n"), f"{END_LOST}|{OUT_OF_STEP}"),
    "replies without end": (floods(b"250 more\r\n"), OUT_OF_STEP),
    "one octet at a time": (drips, TIMED_OUT),
    "one 250 too many": (adds(b"250 one more\r\n"), OUT_OF_STEP),
    "one 550 too many": (adds(b"550 one more\r\n"), OUT_OF_STEP),
    "one 354 too many": (adds(b"354 one more\r\n"), OUT_OF_STEP),
    "twenty 250 and 354": (adds(b"250 yes\r\n354 yes\r\n" * 10), OUT_OF_STEP),
    "half a reply": (begins_and_hangs_up, GONE),
    "hangs up": (hangs_up, GONE),
    "late": (is_late, TIMED_OUT),
}
ANSWERED_FIRST: Final = {  # here the reply itself comes first, and the rest is too much
    "replies without end",
    "one 250 too many",
    "one 550 too many",
    "one 354 too many",
    "twenty 250 and 354",
}
# Of 250 and 354; elsewhere 250. At QUIT nothing is wrong any more.
GOOD_CODES: Final = {
    Place.GREETING: set[str](),
    Place.PROBE: set[str](),
    Place.DATA: {"354"},
    Place.QUIT: {"250", "354"},
}
# These are read where nothing runs ahead: messages delivered, and connections at most. A reply
# without an end counts, and the next message goes by another connection.
_WITH_ANOTHER: Final = {Place.MAIL: (3, 3), Place.RCPT: (3, 3), Place.CONTENT: (3, 2)}
_AT_ONCE: Final = {Place.GREETING: (3, 1), Place.EHLO: (3, 1)}
READ: Final[dict[str, dict[Place, tuple[int, int]]]] = {
    "lines end with LF": {**_WITH_ANOTHER, Place.DATA: (3, 3), **_AT_ONCE},
    # alone, such a reply is read, and counts once the connection has ended as it should
    "LF in a line": {Place.EHLO: (3, 1), Place.MAIL: (3, 3), Place.RCPT: (3, 3)},
    "half a reply": {Place.CONTENT: (3, 2)},
    "one octet at a time": {Place.CONTENT: (3, 2)},
    "the code changes": {Place.RCPT: (3, 1), Place.CONTENT: (3, 1)},
    "a text without end": _WITH_ANOTHER,
    "a reply without end": {**_WITH_ANOTHER, Place.AFTER: (3, 3)},
}
READ_AHEAD: Final[dict[str, dict[Place, tuple[int, int]]]] = {
    "lines end with LF": _AT_ONCE,
    "LF in a line": {Place.EHLO: (3, 1)},
    "the code changes": {Place.CONTENT: (3, 1)},
}
# With several commands in one flight, the next reply takes the place of the missing one. That is
# noticed, and the message goes again with one command behind the other.
PASSED_OVER: Final = {
    ("an empty line", Place.MAIL): (3, 3),
    ("lines end with CR", Place.MAIL): (3, 3),
    ("lines end with CR", Place.RCPT): (3, 3),
}
# After a close, a connection that has taken mail is replaced at once, and the next message follows.
ENDS_A_CONNECTION: Final = {"half a reply", "hangs up"}
REFUSES_THE_TRIAL: Final = "one 550 too many"  # as far as can be told
# Acts where no reply is due.
UNASKED: Final[dict[str, tuple[Act, str]]] = {
    "octets": ANSWERS["octets"],
    "250": (says(b"250 fine\r\n"), OUT_OF_STEP),
    "354": (says(b"354 go on\r\n"), OUT_OF_STEP),
    "450": (
        says(b"450 later\r\n"),
        f"{OUT_OF_STEP}|limits the rate",
    ),  # it may seem to answer the next MAIL
    "550": (says(b"550 no\r\n"), OUT_OF_STEP),
    "a line without end": ANSWERS["a line without end"],
    "a reply without end": ANSWERS["a reply without end"],
    "half a reply": (lambda talk, _: begins_and_hangs_up(talk, b"250 fine\r\n"), GONE),
    "hangs up": ANSWERS["hangs up"],
}
# Messages taken when the trap springs: elsewhere it waits for the second.
BEFORE: Final = {Place.GREETING: 0, Place.EHLO: 0, Place.PROBE: 0, Place.QUIT: 3}


Traps = tuple[Trap, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """One row."""

    place: Place
    name: str
    act: Act
    reason: str  # in the words of the drain
    delivered: int  # of the three messages
    is_large: bool = False  # the second one
    connections: int = 1  # at most
    then: Traps = ()
    why: str = ""  # the reason of the message that is left

    @property
    def traps(self) -> list[Trap]:
        """The mail that the destination is given."""
        return [Trap(self.place, self.act, None if self.place in BEFORE else 1), *self.then]

    @property
    def is_second_left(self) -> bool:
        """Whether the second message alone stays in the store."""
        return self.reason in (ONE_IS_LEFT, ONE_IS_REFUSED)

    @property
    def contents(self) -> list[bytes]:
        """The held mail of the domain, oldest first."""
        return [SMALL[0], LARGE if self.is_large else SMALL[1], SMALL[2]]

    def __str__(self) -> str:
        return f"{self.place.value}: {self.name}"


# In these an unsolicited 550 stands exactly where the next command's refusal would. They cannot be
# told apart. The message is marked refused, which loses nothing.
TAKEN_FOR_A_REPLY: Final = {"450": ("limits the rate", 1), "550": (ONE_IS_REFUSED, 2)}  # to MAIL
LOOKS_LIKE_A_REFUSAL: Final = {"after a message: 550"}


def rows(column: str) -> Iterator[Case]:
    """Return a column of the table.

    Where messages wait for one another, the second one meets the trap. Where they run ahead of
    their replies, none counts before all have replies. A connection on which that fails in its
    probe is followed by one that does not pipeline. A message that meets a trap is left behind,
    and the others go over another connection.
    """
    runs_ahead = column == "ahead"
    places = {*Place} - {Place.IN_CONTENT, Place.AFTER, Place.DATA if runs_ahead else Place.PROBE}
    for place in places:
        before = BEFORE.get(place, 0 if runs_ahead else 1)
        for name, act, reason in answers(place):
            read = _read(column, place, name)
            if place is Place.PROBE or (
                place is Place.CONTENT and column == "pipelining" and name == REFUSES_THE_TRIAL
            ):
                yield Case(place, name, act, END_OF_ALL, 3, connections=2)
            elif read is not None:
                yield Case(place, name, act, END_OF_ALL, read[0], connections=read[1])
            elif before == 1 and (
                name == "hangs up" or (name in ENDS_A_CONNECTION and place is not Place.CONTENT)
            ):
                yield Case(place, name, act, END_OF_ALL, 3, connections=3)
            elif place is Place.EHLO and name in ENDS_A_CONNECTION:  # HELO is tried then
                yield Case(place, name, act, f"{reason}|HELO", before, connections=2)
            elif before == 1 and place is Place.CONTENT and name in ANSWERED_FIRST:
                yield Case(place, name, act, END_OF_ALL, 3, connections=2)
            elif before == 1:
                is_final = place is Place.CONTENT  # then it is said in other words
                yield _one_is_left(place, name, act, "" if is_final else reason)
            else:
                yield Case(
                    place,
                    name,
                    act,
                    reason,
                    before,
                    connections=1 + (runs_ahead and place is Place.EHLO),
                )
    yield from _where_nothing_is_due(column)


def _one_is_left(
    place: Place, name: str, act: Act, why: str, *, is_large: bool = False, then: Traps = ()
) -> Case:
    """Return a case in which the second message alone stays held: others go by a new connection."""
    return Case(place, name, act, ONE_IS_LEFT, 2, is_large, 2 + is_large, then, why)


def _where_nothing_is_due(column: str) -> Iterator[Case]:
    runs_ahead = column == "ahead"
    # The reply to a recipient stands where that to the last content is due, which never comes.
    never = Trap(Place.CONTENT, is_late, after=2)
    name, act = "one 250 too many, one too few", adds(b"250 one more\r\n")
    why = f"{OUT_OF_STEP}|{TIMED_OUT}"
    if runs_ahead:
        yield Case(Place.MAIL, name, act, why, 0, then=(never,))
    else:
        yield _one_is_left(Place.MAIL, name, act, why, then=(never,))
    for place in (Place.IN_CONTENT, Place.AFTER):
        for name, (act, reason) in UNASKED.items():
            is_large = place is Place.IN_CONTENT
            # A large message that breaks its window may keep no other waiting. Mail taken
            # before it in the window is not counted, because the window is void. So it goes
            # again at once, by DATA: a window of two makes one copy. A larger window is sent again
            # in the next attempt only, and these cases have one attempt.
            is_over = runs_ahead and not is_large
            if not is_over and (name in ENDS_A_CONNECTION or place in READ.get(name, {})):
                yield Case(place, name, act, END_OF_ALL, 3, is_large=is_large, connections=3)
            elif is_over:
                yield Case(place, name, act, reason, 0)
            elif column == "plain" and place is Place.AFTER and name in TAKEN_FOR_A_REPLY:
                end, delivered = TAKEN_FOR_A_REPLY[name]
                yield Case(place, name, act, end, delivered, connections=delivered)
            else:
                yield _one_is_left(place, name, act, reason, is_large=is_large)
    name, act = "stops reading", stops_reading
    yield _one_is_left(Place.IN_CONTENT, name, act, TIMED_OUT, is_large=True)


def _read(column: str, place: Place, name: str) -> tuple[int, int] | None:
    """Return the messages delivered and the connections used if an odd reply is read anyway."""
    if column == "ahead":
        return READ_AHEAD.get(name, {}).get(place)
    passed_over = PASSED_OVER.get((name, place)) if column == "pipelining" else None
    if (column, name, place) == ("plain", "lines end with CR", Place.CONTENT):
        return 3, 2  # nothing else is due that could be meant
    return passed_over or READ.get(name, {}).get(place)


def answers(place: Place) -> Iterator[tuple[str, Act, str]]:
    """Return name, act and reason of each event that can happen where a reply is due."""
    for name, (act, reason) in ANSWERS.items():
        yield name, act, END_OF_ALL if place is Place.QUIT else reason
    for code in sorted({"250", "354"} - GOOD_CODES.get(place, {"250"})):
        yield f"{code} instead", says(f"{code} fine\r\n".encode()), OUT_OF_STEP


TABLE: Final = {column: sorted(rows(column), key=str) for column in OFFERS}
