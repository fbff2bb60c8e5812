"""Engines joined to engines and to the reference, for any content and any cuts of the streams.

Mail arrives as it was sent, once, for the recipients that were accepted.
"""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.smtp.chunking_reference import ChunkingDestination, Refusal
from tests.smtp.joined import (
    Join,
    JoinedClient,
    JoinedServer,
    PlannedMail,
    held_contents,
    pieces,
    planned_mail,
    raw_contents,
)
from tests.smtp.reference import (
    ALL_NEWLINES,
    ReferenceDestination,
    Taken,
    ended,
    normalized,
    stuffed,
)
from tests.smtp.test_content import cut

unhurried = settings(deadline=None)  # whole sessions, on a machine that may be busy


def arrived(to_send: Sequence[PlannedMail], *, is_data: bool = True) -> list[Taken]:
    """Return what a server must have taken of this mail."""
    return [
        Taken(
            planned.reverse_path,
            planned.taken_paths,
            normalized(ended(planned.content) if is_data else planned.content),
        )
        for planned in to_send
        if planned.is_taken
    ]


# Our client and our server


@unhurried
@given(
    planned_mail(held_contents), pieces, pieces, st.sampled_from([b"", b"PIPELINING", b"CHUNKING"])
)
def test_our_client_to_our_server(
    to_send: list[PlannedMail], up: list[int], down: list[int], lacks: bytes
) -> None:
    client, server = JoinedClient(to_send), JoinedServer()

    def says() -> bytes:
        said = server.says()
        return said.replace(lacks, b"X-NOTHING") if lacks else said

    Join(up, down).carry(client, server.receive, says)
    assert server.taken == arrived(to_send, is_data=bool(lacks))
    assert client.session.runs_ahead == (not lacks)
    assert client.moves == {number: planned.moves() for number, planned in enumerate(to_send)}
    assert client.has_quit
    assert client.session.outstanding() == []


# A foreign client and our server


def mail_commands(planned: PlannedMail) -> list[bytes]:
    paths = [f"RCPT TO:<{path}>\r\n".encode() for path in planned.forward_paths]
    return [f"MAIL FROM:<{planned.reverse_path}>\r\n".encode(), *paths]


def bdat(planned: PlannedMail, *, is_last_empty: bool) -> list[bytes]:
    """Spell content as chunks, cut as planned; the last one may be empty (RFC 3030 §2)."""
    chunks = cut(planned.content, list(planned.blocks)) or [b""]
    if is_last_empty:
        chunks.append(b"")
    marks = [b""] * (len(chunks) - 1) + [b" LAST"]
    return [
        b"BDAT %d%s\r\n%s" % (len(chunk), mark, chunk)
        for chunk, mark in zip(chunks, marks, strict=True)
    ]


@unhurried
@given(planned_mail(raw_contents), pieces, st.booleans(), st.booleans())
def test_a_foreign_client_by_bdat(
    to_send: list[PlannedMail], lengths: list[int], is_last_empty: bool, waits: bool
) -> None:
    """In one flight, or with a pause after each command: a refused chunk is never commands."""
    flight = [b"EHLO c.example\r\n"]
    for planned in to_send:
        flight += [
            *mail_commands(planned),
            *bdat(planned, is_last_empty=is_last_empty),
            b"RSET\r\n",
        ]
    flight.append(b"QUIT\r\n")
    server = JoinedServer()
    for piece in flight if waits else cut(b"".join(flight), lengths * 20):
        server.receive(piece)
    assert server.taken == arrived(to_send, is_data=False)
    assert server.mail_seen == [planned.reverse_path for planned in to_send]
    answers = [line for line in server.says().split(b"\r\n")[:-1] if line[3:4] == b" "]
    assert len(answers) == 1 + len(flight)


@unhurried
@given(planned_mail(raw_contents), pieces)
def test_a_foreign_client_by_data(to_send: list[PlannedMail], lengths: list[int]) -> None:
    """A bare CR or LF becomes CRLF, a NUL disappears, and it ends where the client said."""
    flight = b"EHLO c.example\r\n"
    for planned in to_send:
        flight += b"".join(mail_commands(planned))
        # Otherwise DATA is refused, and the content of a client that sent it anyway is commands.
        if planned.taken_paths:
            flight += b"DATA\r\n" + stuffed(planned.content)
        flight += b"RSET\r\n"
    server = JoinedServer()
    for piece in cut(flight, lengths * 20):
        server.receive(piece)
    assert server.taken == arrived(to_send)
    assert server.mail_seen == [planned.reverse_path for planned in to_send]


# Our client and a foreign server


foreign_servers = st.builds(
    ReferenceDestination,
    st.sampled_from(ALL_NEWLINES),
    st.sampled_from([("PIPELINING",), ("HELP",)]),
    drops_nuls=st.booleans(),
)


@unhurried
@given(planned_mail(held_contents), pieces, pieces, foreign_servers)
def test_our_client_to_a_foreign_server(
    to_send: list[PlannedMail], up: list[int], down: list[int], destination: ReferenceDestination
) -> None:
    """Held content never ends its own DATA, even where bare LF or CR ends a line."""
    client = JoinedClient(to_send)
    Join(up, down).carry(client, destination.receive, destination.says)
    assert destination.taken == arrived(to_send)
    assert client.moves == {number: planned.moves() for number, planned in enumerate(to_send)}
    assert destination.verbs.count("MAIL") == len(to_send)
    assert set(destination.verbs) <= {"EHLO", "MAIL", "RCPT", "DATA", "RSET", "QUIT"}
    assert client.has_quit


@unhurried
@given(planned_mail(held_contents), pieces, pieces, st.sampled_from(Refusal))
def test_our_client_to_a_foreign_server_by_chunks(
    to_send: list[PlannedMail], up: list[int], down: list[int], refusal: Refusal
) -> None:
    """For any effect of a refused chunk: no message gets another's paths or octets."""
    client, destination = JoinedClient(to_send), ChunkingDestination(refusal)
    Join(up, down).carry(client, destination.receive, destination.says)
    goes_astray = refusal is Refusal.GOES_ASTRAY
    assert destination.taken == arrived(to_send, is_data=goes_astray)
    assert client.moves == {number: planned.moves() for number, planned in enumerate(to_send)}
    assert destination.verbs.count("BDAT") == 1 + (0 if goes_astray else len(to_send))
    assert ("RSET" in destination.verbs[6:]) <= (refusal is not Refusal.ENDS)
    assert client.has_quit


@unhurried
@given(
    planned_mail(raw_contents), pieces, st.booleans(), st.sampled_from(ALL_NEWLINES), st.booleans()
)
def test_mail_of_a_stranger_cannot_end_itself_at_the_destination(
    sent: list[PlannedMail], lengths: list[int], by_bdat: bool, newline: bytes, drops_nuls: bool
) -> None:
    """The whole path: accepted from a stranger, held, sent to a server with any line ends."""
    server = JoinedServer()
    server.receive(b"EHLO c.example\r\n")
    for planned in sent:
        if planned.is_taken:
            content = (
                bdat(planned, is_last_empty=False)
                if by_bdat
                else [b"DATA\r\n", stuffed(planned.content)]
            )
            for piece in cut(b"".join([*mail_commands(planned), *content]), lengths):
                server.receive(piece)
    held = [PlannedMail(250, (250,), 250, taken.content) for taken in server.taken]
    client, destination = JoinedClient(held), ReferenceDestination(newline, drops_nuls=drops_nuls)
    Join((), ()).carry(client, destination.receive, destination.says)
    assert [taken.content for taken in destination.taken] == [
        ended(planned.content) for planned in held
    ]
    verbs = [
        verb for verb in destination.verbs if verb != "RSET"
    ]  # it tries once what may follow content
    assert verbs == ["EHLO", *["MAIL", "RCPT", "DATA"] * len(held), "QUIT"]
