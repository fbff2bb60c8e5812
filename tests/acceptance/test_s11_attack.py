"""S11, by attack: a bogus ETRN moves mail nowhere but to the domain's own destination.

The scene. `victim` has a domain, a client and a destination, at three addresses. `thief` has a good
login, a subdomain of the victim's domain, and a mail server that accepts mail for both. The public
DNS names the thief's host as MX. Tripwires stand wherever mail could go by mistake. Each attack is
made while mail is held. `mail_at_stake` checks that none has moved, and that the true client gets
all of it afterwards.
"""

from __future__ import annotations

import base64
import hmac
import socket
import ssl
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Final

import pytest

from restante.sasl.scram_client import ScramClient
from restante.sasl.scram_keys import salted_password
from tests.acceptance.installation import HOST, Installation
from tests.acceptance.loopback import addresses
from tests.acceptance.name_server import NameServer
from tests.acceptance.peers.askers import curl_asks, msmtp_asks
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.postfix import PostfixPrimary
from tests.acceptance.peers.primary import Primary
from tests.acceptance.peers.server import Login
from tests.acceptance.sample import DIFFICULT, arrived, message, send
from tests.acceptance.session import TIMEOUT, Session, plain_response
from tests.acceptance.tripwire import Tripwire

VICTIM: Final = "victim.example"
THIEF: Final = "thief.victim.example"
PUBLIC_MX: Final = "mx.thief.example"
# No limit must be the defense.
UNLIMITED: Final = "[reception]\nreleases_per_minute = 1000\nauthentications_per_minute = 1000\n"
NOT_ALLOWED: Final = b"459 4.7.1 "


@dataclass(frozen=True, slots=True)
class Scene:
    """The addresses of the scene. `build` sets what mail servers know of each other."""

    restante: Installation
    names: NameServer
    primary: Primary
    thiefs: Primary
    tripwires: Sequence[Tripwire]
    requester: str  # the one address from which the victim's mail may be asked for
    victim: Login
    thief: Login
    thiefs_own: list[bytes] = field(default_factory=list)  # the mail that was sent to the thief

    def is_untouched(self) -> bool:
        """Whether no tripwire was touched, and the thief has only the thief's own mail."""
        return (
            not any(tripwire.connections() for tripwire in self.tripwires)
            and self.has_own_mail_only()
        )

    def has_own_mail_only(self) -> bool:
        """Whether the thief has just that."""
        return arrived(self.thiefs) == self.thiefs_own


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    """The scene, with everything running."""
    with ExitStack() as stack:
        yield build(stack)


def build(stack: ExitStack) -> Scene:
    """Set the scene."""
    requester, home, elsewhere = addresses(3)
    names = stack.enter_context(NameServer({}))
    primary = stack.enter_context(PostfixPrimary([VICTIM], address=home))
    thiefs = stack.enter_context(PostfixPrimary([VICTIM, THIEF], address=elsewhere))
    lie = {"MX": [f"10 {PUBLIC_MX}."]}
    names.records = {
        VICTIM: {"A": [elsewhere], **lie},
        f"primary.{VICTIM}": {"A": [home], **lie},
        PUBLIC_MX: {"A": [elsewhere]},
    }
    wrong = [
        (requester, 25),
        (home, 25),
        (elsewhere, 25),
        (requester, primary.port),
        (elsewhere, primary.port),
    ]
    tripwires = [stack.enter_context(Tripwire(*place)) for place in wrong]
    for each in (primary, thiefs):
        each.start()
    restante = stack.enter_context(Installation(more=names.settings + UNLIMITED))
    restante.start()
    victim = restante.hosts(
        VICTIM, f"primary.{VICTIM}:{primary.port}", account="victim", allow=[requester]
    )
    thief = restante.hosts(
        THIEF, f"{elsewhere}:{thiefs.port}", account="thief", allow=["127.0.0.0/8"]
    )
    return Scene(restante, names, primary, thiefs, tripwires, requester, victim, thief)


@contextmanager
def mail_at_stake(scene: Scene, *contents: bytes) -> Iterator[None]:
    """Hold the victim's mail during an attack. Then all of it must go to the victim alone."""
    contents = contents or (message("dear"), message("dearer", b".\r\nSecond line\r\n"))
    for content in contents:
        send(scene.restante.mx, f"reader@{VICTIM}", content=content)
    had = Counter(arrived(scene.primary))
    drains = len(scene.restante.events("drain-started", domain=VICTIM))
    scene.names.asked.clear()

    yield

    assert len(scene.restante.events("drain-started", domain=VICTIM)) == drains
    assert scene.is_untouched()
    asked = curl_asks(scene.restante.smtps, scene.victim, VICTIM, "--interface", scene.requester)
    assert (
        f"253 2.0.0 OK, {len(contents)} pending messages for node {VICTIM} started" in asked.stdout
    )
    eventually(
        lambda: len(scene.restante.events("drain-finished", domain=VICTIM)) > drains,
        what="the drain to end",
    )
    eventually(lambda: Counter(arrived(scene.primary)) - had == Counter(contents), what="all of it")
    assert scene.is_untouched()
    assert {kind for _, kind in scene.names.asked} <= {"A", "AAAA"}


class RawSession(Session):
    """A session that may say more than one line at once."""

    def blurt(self, octets: bytes) -> bytes:
        """Send octets in one piece, and return everything that comes until the server hangs up."""
        self._socket.sendall(octets)
        said = b""
        while piece := self._socket.recv(4096):
            said += piece
        return said


def ask(scene: Scene, login: Login, source: str, *targets: str) -> list[bytes]:
    """Authenticate from an address and ask for each target; return the replies."""
    with Session(scene.restante.smtps, source=source) as session:
        assert session.say(cram_md5_response(login, session.say("AUTH CRAM-MD5"))).startswith(
            b"235"
        )
        return [session.say(f"ETRN {target}") for target in targets]


def last_reason(scene: Scene) -> str:
    """Return what the audit trail gives as the reason of the newest request."""
    reason: str = scene.restante.shown("audit", "--limit", "1")[0]["reason"]
    return reason


# Somebody's valid password


def test_a_valid_login_of_another_account_moves_nothing(scene: Scene) -> None:
    """From no host: not from its own, not from the victim's requester, not from the destination."""
    targets = (
        VICTIM,
        "VICTIM.EXAMPLE",
        f"{VICTIM}.",
        "#victim",
        "#VICTIM",
        f"primary.{VICTIM}",
        PUBLIC_MX,
    )
    with mail_at_stake(scene):
        for source in (scene.thiefs.address, scene.requester, scene.primary.address, "127.0.0.1"):
            for reply in ask(scene, scene.thief, source, *targets):
                assert reply.startswith(NOT_ALLOWED)
        assert msmtp_asks(scene.restante.smtps, scene.thief, f"@primary.{VICTIM}").returncode == 69
        assert last_reason(scene) == "the domain is not hosted here"
        ask(scene, scene.thief, scene.requester, VICTIM)
        assert last_reason(scene) == "the domain belongs to another account"


@pytest.mark.parametrize("target", [f"@{VICTIM}", "@example", "#thief"])
def test_a_target_that_covers_two_accounts_moves_the_askers_own_mail_only(
    scene: Scene, target: str
) -> None:
    """The thief gets the thief's mail. The victim's parent domain seems not to exist."""
    own = message(f"for the thief by {target}")
    with mail_at_stake(scene):
        send(scene.restante.mx, f"reader@{THIEF}", content=own)
        [reply] = ask(scene, scene.thief, scene.requester, target)
        assert reply.startswith(b"253 2.0.0 OK, 1 pending messages for node")
        scene.thiefs_own.append(own)
        eventually(scene.has_own_mail_only, what="the thief's own mail")


def test_the_right_login_from_a_wrong_host_moves_nothing(scene: Scene) -> None:
    """A stolen password is of no use elsewhere, not even at the destination if it is not listed."""
    with mail_at_stake(scene):
        for source in (
            scene.thiefs.address,
            scene.primary.address,
            "127.0.0.1",
            f"{scene.requester}0",
        ):
            for reply in ask(scene, scene.victim, source, VICTIM, f"@{VICTIM}", "#victim"):
                assert reply.startswith(NOT_ALLOWED)
            assert last_reason(scene) == f"host not authorized for {VICTIM}"
        with_curl = curl_asks(
            scene.restante.starttls, scene.victim, VICTIM, "--interface", scene.thiefs.address
        )
        assert with_curl.returncode == 8


def test_the_right_login_from_the_right_host_moves_mail_to_the_destination_only(
    scene: Scene,
) -> None:
    """A host, a port, an address or a name behind the target is not part of a request."""
    extras = (
        "127.0.0.1",
        f"{scene.requester}:{scene.primary.port}",
        f"<thief@{PUBLIC_MX}>",
        f"DESTINATION={PUBLIC_MX}",
    )
    targets = [
        f"{VICTIM}{separator}{extra}"
        for separator in (" ", ":", "@", ";", ",", "%")
        for extra in extras
    ]
    with mail_at_stake(scene, *DIFFICULT):
        for some in (targets[:12], targets[12:]):
            for reply in ask(scene, scene.victim, scene.requester, *some):
                assert reply.startswith((b"459 ", b"500 ", b"501 "))


def test_a_session_outlives_its_password_to_no_use(scene: Scene) -> None:
    """A session that authenticated before the password changed is refused afterwards."""
    change = ("login", "set", "victim", "victim", "--password-stdin")
    with mail_at_stake(scene):
        with Session(scene.restante.smtps, source=scene.requester) as session:
            assert session.authenticate(scene.victim).startswith(b"235")
            scene.restante.do(*change, typed="another password")
            assert session.say(f"ETRN {VICTIM}").startswith(NOT_ALLOWED)
        assert last_reason(scene) == "the login was changed or removed since it authenticated"
        scene.restante.do(*change, typed=scene.victim.password)


# The argument

INJECTIONS: Final = [
    f"{VICTIM}' OR 1=1",
    f"{VICTIM}'OR'1'='1",
    "x' UNION SELECT name FROM domain WHERE '1'='1",
    f"{VICTIM}';DROP TABLE domain;--",
    "' OR ''='",
    "#victim' OR 1=1 --",
    "@",
    "#",
    "@@victim.example",
    "##victim",
    "@#victim",
    "@.",
    "@.example",
    ".",
    "*",
    "%",
    "_",
    f"*.{VICTIM}",
    "%.example",
    "victi_.example",
    "#victi_",
    "#%",
    f"{VICTIM}%00",
    f"{VICTIM}\0",
    f"\t{VICTIM}",
    f"..{VICTIM}",
    f"{VICTIM}..",
    f"../{VICTIM}",
    f"<{VICTIM}>",
    f"[{VICTIM}]",
    f'"{VICTIM}"',
    "$(victim.example)",
    f"${{run{{/bin/sh}}}}{VICTIM}",
    "{target}",
    "%s%n",
    "[127.0.0.1]",
    "127.0.0.1",
    VICTIM.replace("i", "\N{CYRILLIC SMALL LETTER BYELORUSSIAN-UKRAINIAN I}"),
    VICTIM.replace("i", "\N{LATIN SMALL LETTER DOTLESS I}"),
    VICTIM.replace(".", "\N{FULLWIDTH FULL STOP}"),
    VICTIM.replace("v", "\N{FULLWIDTH LATIN SMALL LETTER V}"),
    VICTIM.replace("t", "\N{ZERO WIDTH JOINER}t"),
    VICTIM.replace("m", "m\N{SOFT HYPHEN}"),
    "\N{RIGHT-TO-LEFT OVERRIDE}elpmaxe.mitciv",
    "#v\N{LATIN SMALL LETTER DOTLESS I}ctim",
    "#\N{FULLWIDTH LATIN SMALL LETTER V}ictim",
    "#VICT\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}M",
    "xn--victim-.example",
    "x" * 64 + f".{VICTIM}",
    "a." * 900 + VICTIM,
    VICTIM + "x" * 1900,
    VICTIM + " " * 3000,
    VICTIM + "x" * 70_000,
    "",
]
AT_A_TIME: Final = 10  # of the errors that one session may make


def test_no_argument_is_more_than_a_name(scene: Scene) -> None:
    """SQL, a pattern, a path, a template, a look-alike or a long text: it names nothing."""
    with mail_at_stake(scene):
        for begin in range(0, len(INJECTIONS), AT_A_TIME):
            targets = INJECTIONS[begin : begin + AT_A_TIME]
            for target, reply in zip(
                targets, ask(scene, scene.thief, scene.requester, *targets), strict=True
            ):
                assert reply.startswith((b"459 4.7.1 ", b"500 5.5", b"501 5.5.4 ")), target
                assert reply.count(b"\n") == 1, target
        assert {domain["name"] for domain in scene.restante.shown("domain", "list")} == {
            VICTIM,
            THIEF,
        }


# The wire


def test_a_replayed_cram_md5_response_proves_nothing(scene: Scene) -> None:
    """A response is good for the challenge it was made for, and that for one attempt."""
    with mail_at_stake(scene):
        with Session(scene.restante.smtps, source=scene.requester) as session:
            challenge = session.say("AUTH CRAM-MD5")
            overheard = cram_md5_response(scene.victim, challenge)
            assert session.say(overheard).startswith(b"235")
        with Session(scene.restante.smtps, source=scene.requester) as session:
            for _ in range(2):
                assert session.say("AUTH CRAM-MD5") != challenge
                assert session.say(overheard) == b"535 5.7.8 Authentication credentials invalid\r\n"
            assert session.say(f"AUTH CRAM-MD5 {overheard}").startswith(b"501")
            assert session.say(f"ETRN {VICTIM}").startswith(b"530 5.7.0 ")


def test_a_replayed_scram_proof_proves_nothing(scene: Scene) -> None:
    """A proof is good for the nonce of the server that it was made for."""
    first = base64.b64encode(f"n,,n={scene.victim.user},r=abc".encode()).decode()
    with mail_at_stake(scene), Session(scene.restante.smtps, source=scene.requester) as session:
        challenge = session.say(f"AUTH SCRAM-SHA-256 {first}")
        overheard = scram_response(scene.victim, challenge)
        assert session.say(overheard).startswith(b"334")
        assert session.say(f"ETRN {VICTIM}").startswith(
            b"501"
        )  # the server's proof is not taken, so nobody is in
        assert session.say(f"ETRN {VICTIM}").startswith(b"530 5.7.0 ")
        assert session.say(f"AUTH SCRAM-SHA-256 {first}") != challenge
        assert session.say(overheard).startswith(b"501")
        assert session.say(f"ETRN {VICTIM}").startswith(b"530 5.7.0 ")


def scram_response(login: Login, challenge: bytes) -> str:
    """Return the response to a challenge, as on the wire, after a first message with `abc`."""
    client = ScramClient(login.user, "abc")
    salting = client.take_server_first(base64.b64decode(challenge[4:]))
    return base64.b64encode(client.final(salted_password(login.password, salting))).decode()


def cram_md5_response(login: Login, challenge: bytes) -> str:
    """Return the response to a challenge, both as on the wire (RFC 2195)."""
    digest = hmac.new(login.password.encode(), base64.b64decode(challenge[4:]), "md5").hexdigest()
    return base64.b64encode(f"{login.user} {digest}".encode()).decode()


def test_nothing_said_before_tls_counts(scene: Scene) -> None:
    """Not in clear, not behind STARTTLS in the same piece, not in clear at the port for TLS."""
    restante = scene.restante
    commands = f"AUTH PLAIN {plain_response(scene.victim)}\r\nETRN {VICTIM}\r\n".encode()
    seen = len(restante.events("release-requested")), len(restante.events("authentication"))
    with mail_at_stake(scene):
        with RawSession(restante.mx, source=scene.requester) as session:
            refused = session.blurt(commands + b"QUIT\r\n").splitlines()
            assert [line[:10] for line in refused] == [b"538 5.7.11", b"530 5.7.0 ", b"221 2.0.0 "]
        with RawSession(restante.mx, source=scene.requester) as session:
            said = session.blurt(b"STARTTLS\r\n" + commands)
            assert said == b"554 5.5.0 Data after STARTTLS, closing connection\r\n"
        assert not any(
            line.startswith(b"2")
            for line in said_in_clear(restante, scene.requester, commands).splitlines()
        )
        assert (
            len(restante.events("release-requested")),
            len(restante.events("authentication")),
        ) == seen


def said_in_clear(restante: Installation, source: str, octets: bytes) -> bytes:
    """Say something in clear at the port for TLS. Return the answer: at most an alert of TLS."""
    place = (HOST, restante.smtps_port)
    with socket.create_connection(place, timeout=TIMEOUT, source_address=(source, 0)) as connection:
        connection.sendall(octets)
        return connection.recv(4096)


def test_commands_injected_before_a_handshake_are_not_run_after_it(scene: Scene) -> None:
    """A man in the middle puts ETRN before the session of an authenticating client."""
    with mail_at_stake(scene), Session(scene.restante.mx, source=scene.requester) as session:
        assert session.say(f"ETRN {VICTIM}").startswith(b"530 5.7.0 Must issue a STARTTLS")
        assert session.say("STARTTLS").startswith(b"220")
        context = ssl.create_default_context(cafile=scene.restante.authority)
        session._socket = context.wrap_socket(session._socket, server_hostname="localhost")
        assert session.say(f"ETRN {VICTIM}").startswith(
            b"503"
        )  # everything before is forgotten, EHLO too
        session.say("EHLO requester.example")
        assert session.authenticate(scene.victim).startswith(b"235")
        assert session.say("NOOP") == b"250 2.0.0 OK\r\n"


def test_more_than_one_line_in_a_line_is_no_command(scene: Scene) -> None:
    """A bare LF or CR ends no line: a command behind it is not obeyed."""
    lines = (f"ETRN nowhere.example\nETRN {VICTIM}", f"NOOP\rETRN {VICTIM}", f"ETRN {VICTIM}\nQUIT")
    with mail_at_stake(scene):
        for line in lines:
            with RawSession(scene.restante.smtps, source=scene.requester) as session:
                assert session.authenticate(scene.thief).startswith(b"235")
                said = session.blurt(f"{line}\r\nQUIT\r\n".encode())
                assert not any(reply.startswith(b"25") for reply in said.splitlines()), said
