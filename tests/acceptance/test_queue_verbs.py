"""Every verb of the queue on mail in every state, with and without a server, and after crashes.

A domain stands for a state. A message is named for its verb and the moment: the mail for
`delete-down@held.example` is deleted while no server runs. Each cell of the table has its own
message, so none affects another.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import apsw
import pytest

from restante.mail.quantity import counted
from tests.acceptance.choosy_primary import SILENCE, ChoosyPrimary
from tests.acceptance.command import CommandLine, Said
from tests.acceptance.installation import Installation, at
from tests.acceptance.peers.eventually import eventually
from tests.flipped_bit import flip_a_bit

LATER: Final = "450 4.2.1 later"
NEVER: Final = "550 5.1.1 no mailbox of that name"
TORN: Final = "its seal is broken"
ROTTEN: Final = "the seal of its content file is broken"
LARGE: Final = 17_000  # lines: more than the store keeps in a row


@dataclass(frozen=True, slots=True)
class State:
    """The state of a domain's mail, and the expected result of each verb."""

    begins: str = "any"  # the local part: the primary goes by it
    is_large: bool = False
    is_asked_for: bool = False  # it was released, and that is over or goes on
    also_to: str = ""  # another recipient, likewise
    status: str = "held"
    reply: str = ""
    damage: str = ""
    is_draining: bool = False  # while a server runs


STATES: Final = {
    "held": State(),
    "spooled": State(is_large=True),
    "deferred": State("later", is_asked_for=True, reply=LATER),
    "refused": State("never", is_asked_for=True, status="refused", reply=NEVER),
    "partly": State("later", is_asked_for=True, also_to="any", reply=LATER),
    "running": State("silent", is_asked_for=True, is_draining=True),
    "torn": State(damage=TORN, status="damaged", reply=f"damaged: {TORN}"),
    "rotten": State(is_large=True, damage=ROTTEN, status="damaged", reply="damaged: "),
}
VERBS: Final = ("delete", "release", "bounce")


def running(restante: Installation) -> None:
    """Have it run."""
    if not restante.is_running:
        restante.start()


def down(restante: Installation) -> None:
    """Have no server."""
    if restante.is_running:
        restante.stop()


def restarted(restante: Installation) -> None:
    """Have it run after an end in good order."""
    down(restante)
    restante.start()


def killed(restante: Installation) -> None:
    """Have it run after a bad end."""
    running(restante)
    restante.kill()
    restante.start()


Situation = Callable[[Installation], None]
SITUATIONS: Final[tuple[Situation, ...]] = (running, down, restarted, killed)


@dataclass
class World:
    """An installation with mail in every state."""

    restante: Installation
    primary: ChoosyPrimary
    cli: CommandLine
    names: dict[str, dict[str, str]] = field(
        default_factory=dict
    )  # by state, then by verb and situation

    def name(self, state: str, verb: str, situation: Situation) -> str:
        """Return the message that a cell of the table is about."""
        return self.names[state][f"{verb}-{situation.__name__}"]

    def listed(self) -> dict[str, Any]:
        """Return what `queue list` says, by name."""
        return {one["name"]: one for one in self.cli.shown("queue", "list")}

    def fill(self, source: Path) -> None:
        """Host, add mail, damage and release until each message has its state and a server runs."""
        for state in STATES:
            words = (
                "--account",
                "alpha",
                "--destination",
                at(self.primary),
                "--allow",
                "127.0.0.1",
            )
            self.cli.do("domain", "add", f"{state}.example", *words, "--connections", "1")
        self._bring_in(source)
        for listed in self.listed().values():
            path: str = listed["recipients"][-1]["forward_path"]
            what, _, domain = path.partition("-")[2].partition("@")
            self.names.setdefault(domain.removesuffix(".example"), {})[what] = listed["name"]
        self._spoil()
        self.restante.start()
        self._release()

    def _bring_in(self, source: Path) -> None:
        for name, state in STATES.items():
            content = "Subject: a cell of the table\r\n\r\n" + "a line of mail\r\n" * (
                LARGE if state.is_large else 1
            )
            for what in (
                f"{verb}-{when.__name__}@{name}.example" for verb in VERBS for when in SITUATIONS
            ):
                to = [
                    f"X-Envelope-To: {begins}-{what}"
                    for begins in (state.also_to, state.begins)
                    if begins
                ]
                fields = "\r\n".join(["Return-Path: <a@sender.example>", *to, ""])
                (source / f"{what}.eml").write_text(fields + content, newline="")
        self.cli.do("queue", "import", source)

    def _spoil(self) -> None:
        """Change what is stored behind the store's back."""
        if self.restante.database:
            asyncio.run(_spoil_rows(self.restante.database))
        else:
            _spoil_files(self.restante.directory / "data")

    def _release(self) -> None:
        for name, state in STATES.items():
            if state.is_asked_for:
                self.cli.do("release", f"{name}.example")
            if state.is_asked_for and not state.is_draining:
                self.restante.wait_for_event("drain-finished", domain=f"{name}.example")


def _spoil_files(data: Path) -> None:
    connection = apsw.Connection(str(data / "restante.db"))
    in_domain = "domain_id = (SELECT id FROM domain WHERE name = ?)"
    connection.execute(f"UPDATE message SET head = x'00' WHERE {in_domain}", ("torn.example",))
    files = connection.execute(
        f"SELECT file FROM message WHERE {in_domain}", ("rotten.example",)
    ).fetchall()
    connection.close()
    for (name,) in files:
        flip_a_bit(data / "content" / str(name))


async def _spoil_rows(database: str) -> None:
    import asyncpg  # noqa: PLC0415  an extra

    connection = await asyncpg.connect(database)
    in_domain = "domain_id = (SELECT id FROM domain WHERE name = $1)"
    await connection.execute(f"UPDATE message SET head = '\\x00' WHERE {in_domain}", "torn.example")
    await connection.execute(
        "UPDATE chunk SET body = set_byte(body, 0, get_byte(body, 0) # 1) WHERE content_id IN"
        f" (SELECT content_id FROM message WHERE {in_domain})",
        "rotten.example",
    )
    await connection.close()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    replies = {"later": LATER, "never": NEVER, "silent": SILENCE}
    with Installation(delivery={"patience": 0.3}) as restante, ChoosyPrimary(replies) as primary:
        world = World(restante, primary, CommandLine(restante.config))
        world.fill(tmp_path_factory.mktemp("mail"))
        yield world
        running(restante)
        world.cli.do(
            "queue", "delete", "--domain", "running.example", "--reason", "the end", "--yes"
        )
        primary.hang_up()  # a server that stops waits for a primary that may yet answer


@pytest.fixture(params=SITUATIONS, ids=lambda situation: situation.__name__, scope="module")
def situation(request: pytest.FixtureRequest, world: World) -> Situation:
    """The situations in order. Mail of a drain is on its way again whenever a server runs."""
    now: Situation = request.param
    before = len(world.primary.kept_waiting)
    had = world.restante.is_running
    now(world.restante)
    if now is not running or not had:
        eventually(
            lambda: not world.restante.is_running or len(world.primary.kept_waiting) > before,
            what="the drain",
        )
    return now


def test_whatever_stands_with_it_mail_is_listed_counted_and_exported(
    world: World, situation: Situation, tmp_path: Path
) -> None:
    cli = world.cli
    exported = cli.run("queue", "export", tmp_path / "out")
    listed = world.listed()
    damaged = {listed[name]["name"] for name in listed if STATES[state_of(listed[name])].damage}
    assert exported.code == 65
    assert {line.split()[2].removesuffix(":") for line in exported.err.splitlines()} == damaged
    assert {file.stem for file in (tmp_path / "out").glob("*.eml")} == listed.keys() - damaged
    status, top = cli.shown("status"), cli.shown("top")
    assert (status["is_running"], status["messages"]) == (world.restante.is_running, len(listed))
    by_domain = {one["domain"]: one["messages"] for one in status["domains"]}
    assert by_domain == {
        one["domain"]: one["held"] + one["refused"] + one["damaged"] for one in top["domains"]
    }
    for words in (("status",), ("top", "--once")):
        assert "running.example" in cli.do(*words)
    assert [drain["domain"] for drain in status["drains"]] == [
        "running.example"
    ] * world.restante.is_running


@pytest.mark.parametrize("name", STATES)
def test_a_message_is_shown_with_what_is_known_of_it(
    world: World, situation: Situation, name: str
) -> None:
    state = STATES[name]
    message = world.name(name, "delete", situation)
    shown = world.cli.run("queue", "show", message, "--json")
    facts = json.loads(shown.out)
    [recipient] = facts["recipients"]
    raw = world.cli.run("queue", "show", message, "--raw")
    assert recipient["forward_path"] == f"{state.begins}-delete-{situation.__name__}@{name}.example"
    assert recipient["status"] == state.status
    assert recipient["reply"].startswith(state.reply)
    if state.damage:
        assert (shown.code, raw.code, raw.octets) == (65, 65, b"")
        assert state.damage in facts["damage"]
        assert state.damage in raw.err
    else:
        assert (shown.code, raw.code, raw.octets.count(b"a line of mail\r\n")) == (
            0,
            0,
            LARGE if state.is_large else 1,
        )
        assert {"name": "Subject", "value": "a cell of the table"} in facts["headers"]


def test_refused_mail_is_held_again_and_other_mail_stays_held(
    world: World, situation: Situation
) -> None:
    messages = {name: world.name(name, "release", situation) for name in STATES}
    listed = world.listed()
    refused = {
        message
        for message in messages.values()
        if listed[message]["recipients"][0]["status"] == "refused"
    }
    assert messages["refused"] in refused
    said = world.cli.run("queue", "release", *messages.values(), "--status", "refused")
    assert (said.code, said.out) == (65, f"{counted(len(refused), 'message')} held again\n")
    listed = world.listed()
    left = {
        name
        for name, message in messages.items()
        if listed[message]["recipients"][0]["status"] != "held"
    }
    assert left == {"torn", "rotten"}


def test_mail_that_is_given_up_goes_and_its_sender_is_told(
    world: World, situation: Situation
) -> None:
    """But not if it may already be at its destination, or if its sender is unknown."""
    messages = {name: world.name(name, "bounce", situation) for name in STATES}
    torn, stays = messages["torn"], {messages["torn"]}
    if world.restante.is_running:
        stays.add(messages["running"])
        said = bounce(world, *messages.values())
        assert (said.code, said.out, "is being handed over" in said.err) == (65, "", True)
    goes = set(messages.values()) - stays
    said = bounce(world, *goes, torn)
    assert (said.code, said.out) == (
        65,
        f"{len(goes)} messages bounced, {len(goes)} senders get a report\n",
    )
    remedy = "not bounced: restore it from a backup, or remove it with `restante queue delete`"
    assert said.err == f"restante: message {torn}: {TORN}; {remedy}\n"
    listed = world.listed()
    assert listed.keys() & messages.values() == stays
    assert listed[torn]["recipients"][0]["status"] == "damaged"


def test_mail_is_deleted_whatever_stands_with_it(world: World, situation: Situation) -> None:
    messages = [world.name(name, "delete", situation) for name in STATES]
    deleted = world.cli.run("queue", "delete", *messages, "--reason", "tidy", "--yes")
    assert (deleted.code, deleted.out) == (0, f"{len(messages)} messages deleted\n")
    assert world.listed().keys().isdisjoint(messages)
    again = world.cli.run("queue", "delete", messages[0], "--reason", "tidy", "--yes")
    assert (again.code, messages[0] in again.err) == (66, True)


def bounce(world: World, *messages: str) -> Said:
    """Give messages up."""
    return world.cli.run("queue", "bounce", *messages, "--reason", "it is over", "--yes")


def state_of(listed: dict[str, Any]) -> str:
    """Return the state that a message stands for."""
    domain: str = listed["domain"]
    return domain.removesuffix(".example")
