"""No secret in a log, an answer, a process's arguments or a core, nor in plain in the store."""

from __future__ import annotations

import base64
import os
import signal
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import httpx
import pytest

from tests.acceptance.asking_destination import AskingDestination
from tests.acceptance.certificates import Authority
from tests.acceptance.installation import ALPHA, RESTANTE, Ended, Installation, at
from tests.acceptance.on_both_stores import ON_SQLITE
from tests.acceptance.peers.askers import msmtp_asks
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.programs import require_root
from tests.acceptance.peers.senders import swaks_authenticates
from tests.acceptance.peers.server import Login
from tests.acceptance.sample import message, send
from tests.acceptance.session import Session, plain_response

pytestmark = ON_SQLITE

AWAY: Final = "127.0.0.1:9"
NOBODY: Final = "nobody"
NOT_CONFIGURED: Final = 78  # exit code of `restante`
CORE_PATTERN: Final = Path("/proc/sys/kernel/core_pattern")
LARGE: Final = b"a line of a large message\r\n" * 20_000

DESTINATION_PASSWORD: Final = "the-password-for-the-destination"
MSMTP_AUTH_FAILED: Final = 77  # exit code
GUESS: Final = "a-guess-that-is-wrong"
MISPLACED: Final = "a-password-where-the-user-belongs"
MALFORMED: Final = "a-password-in-a-malformed-request"
HOOK_TOKEN: Final = "the-token-in-a-webhooks-url"
PUSH_TOKEN: Final = "the-token-in-a-url-of-apprise"
NO_KEY: Final = "something-secret-that-is-no-key"
SHOWS: Final = [
    ("config", "show"),
    ("config", "show", "--json"),
    ("status", "--json"),
    ("account", "show", "alpha", "--json"),
    ("login", "list", "alpha", "--json"),
    ("domain", "list", "--json"),
    ("domain", "show", "alpha.example"),
    ("queue", "list", "--json"),
    ("audit", "--json"),
    ("store", "check"),
    ("notice", "list", "--json"),
    ("notice", "list"),
    ("notice", "show-waiting", "--json"),
]


@dataclass
class World:
    """An installation that has used all secrets, rightly and wrongly, and all of its output."""

    restante: Installation
    login: Login  # with a generated password
    secrets: dict[str, bytes]
    backup: Path
    said: dict[str, str] = field(default_factory=dict)  # output of each command
    processes: dict[str, bytes] = field(default_factory=dict)  # arguments and environment

    def run(self, *words: str, typed: str = "") -> Ended:
        """Run a command and keep what it said."""
        ended = self.restante.run(*words, typed=typed)
        self.said[f"{len(self.said)}: {' '.join(words)}"] = ended.stdout + ended.stderr
        return ended

    def texts(self) -> dict[str, bytes]:
        """Return everything that must hold no secret, by where it is."""
        files = [
            path
            for place in (self.restante.directory / "data", self.backup)
            for path in place.rglob("*")
        ]
        return {
            **{what: text.encode() for what, text in self.said.items()},
            **self.processes,
            "the log": self.restante.log_path.read_bytes(),
            **{str(path): path.read_bytes() for path in files if path.is_file()},
        }


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """It logs in JSON at first, and then as text."""
    require_root()
    place = tmp_path_factory.mktemp("secrets")
    keys = Authority(place, "destination").issue("localhost")
    with Installation() as restante, AskingDestination(keys) as destination:
        restante.is_forked = False  # its process is searched too
        world = begin(restante, place)
        restante.start()
        use_secrets(world, destination)
        for words in SHOWS:
            assert world.run(*words).returncode == 0, words
        assert world.run("store", "backup", str(world.backup)).returncode == 0
        restante.stop()
        use_another_key(world)
        restart_with_text(world)
        authenticate(world)
        release(world, destination)
        yield world
        restante._process.end_by(signal.SIGTERM)


def begin(restante: Installation, place: Path) -> World:
    """Add a login by a generated password, which is shown this once."""
    generated = restante.run("login", "add", "alpha", "generated", "--generate")
    login = Login("generated", generated.stdout.strip())
    secrets = {
        "the password of alpha": ALPHA.password.encode(),
        "a generated password": login.password.encode(),
        "the password for the destination": DESTINATION_PASSWORD.encode(),
        "a wrong password": GUESS.encode(),
        "a misplaced password": MISPLACED.encode(),
        "a webhook's token": HOOK_TOKEN.encode(),
        "a token for Apprise": PUSH_TOKEN.encode(),
        "a malformed password": MALFORMED.encode(),
        "what is no key": NO_KEY.encode(),
        "the key": (restante.directory / "restante.key").read_bytes(),
        "the key of the ECDSA certificate": (restante.directory / "tls/key.pem")
        .read_bytes()
        .splitlines()[2],
        "the key of the RSA certificate": (restante.directory / "tls/key-rsa.pem")
        .read_bytes()
        .splitlines()[2],
    }
    world = World(restante, login, secrets, place / "backup")
    world.said["login add --generate, but the password"] = generated.stderr
    return world


def use_secrets(world: World, destination: AskingDestination) -> None:
    """Each one rightly and wrongly."""
    restante, login = world.restante, world.login
    restante.hosts("alpha.example", at(destination), "--tls", "required")
    use_secrets_of_notices(world)
    words = ("--destination-login", "us", "--destination-password-stdin")
    assert (
        world.run("domain", "set", "alpha.example", *words, typed=DESTINATION_PASSWORD).returncode
        == 0
    )
    send(restante.mx, "reader@alpha.example", content=message("small"))
    authenticate(world)
    for password in (login.password, GUESS):
        asked = restante.etrn("alpha.example", login=replace(login, password=password))
        world.said[f"etrn, with {password}"] = asked.stdout + asked.stderr
    release(world, destination)
    world.run("login", "add", "alpha", "generated", "--password-stdin", typed=GUESS)  # it is there
    world.run("login", "set", "alpha", "nobody", "--password-stdin", typed=GUESS)  # it is not
    world.run(
        "login", "add", "alpha", "another", "--password-stdin", typed=f"\x07{GUESS}"
    )  # cannot be typed
    malformed = (
        {"user": "x", "password": [MALFORMED]},
        {"user": "x", "password": GUESS, "passwort": MALFORMED},
    )
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(restante.socket))) as client:
        for body in malformed:
            answer = client.post("http://restante/v1/accounts/alpha/logins", json=body)
            assert answer.is_client_error
            world.said[f"{len(world.said)}: the answer to a malformed request"] = answer.text
    for what in ("cmdline", "environ"):
        world.processes[what] = Path(f"/proc/{restante.pid}/{what}").read_bytes()


def use_secrets_of_notices(world: World) -> None:
    """By channels without a listener: each attempt fails, and is logged. A key is shown once."""
    hook = ("notice", "add", "hook", "--account", "alpha", "--webhook", "-")
    added = world.restante.run(*hook, typed=f"http://127.0.0.1:9/{HOOK_TOKEN}?token={HOOK_TOKEN}")
    assert added.returncode == 0, added.stderr
    world.secrets["the key of a webhook"] = added.stdout.strip().removeprefix("whsec_").encode()
    world.said["notice add, but the key"] = added.stderr
    renewing = (
        "notice",
        "set",
        "hook",
        "--account",
        "alpha",
        "--webhook",
        "-",
        "--new-key",
        "--reason",
        "a test",
    )
    renewed = world.restante.run(*renewing, typed=f"http://127.0.0.1:9/{HOOK_TOKEN}/new")
    assert renewed.returncode == 0, renewed.stderr
    world.secrets["the new key of a webhook"] = (
        renewed.stdout.strip().removeprefix("whsec_").encode()
    )
    world.said["notice set, but the key"] = renewed.stderr
    push = f"jsons://user:{PUSH_TOKEN}@127.0.0.1:9/{PUSH_TOKEN}"
    assert (
        world.run(
            "notice", "add", "chat", "--account", "alpha", "--apprise", "-", typed=push
        ).returncode
        == 0
    )
    world.run(*hook, typed=f"gopher://127.0.0.1/{HOOK_TOKEN}")
    world.run("notice", "add", "bad", "--apprise", "-", typed=f"nothing://{PUSH_TOKEN}")
    for name in ("hook", "chat"):
        assert world.run("notice", "test", name, "--account", "alpha").returncode != 0
    send(world.restante.mx, "reader@alpha.example", content=message("told in vain"))
    for transport in ("webhook", "apprise"):
        world.restante.wait_for_event("notice-deferred", transport=transport)


def release(world: World, destination: AskingDestination) -> None:
    """Have our password sent to a destination that repeats it."""
    logged = world.restante.log_path.read_text().count("AUTH: 535 5.7.8")
    heard = len(destination.heard)
    world.run("release", "alpha.example")
    eventually(lambda: len(destination.heard) > heard, what="our password at the destination")
    eventually(
        lambda: world.restante.log_path.read_text().count("AUTH: 535 5.7.8") > logged,
        what="the log of it",
    )


def authenticate(world: World) -> None:
    """By each mechanism, also a disabled one, and with the password in the wrong place."""
    restante, login = world.restante, world.login
    for mechanism in ("PLAIN", "LOGIN", "CRAM-MD5"):
        assert swaks_authenticates(restante.smtps, login, mechanism=mechanism).returncode == 0
        assert (
            swaks_authenticates(
                restante.smtps, replace(login, password=GUESS), mechanism=mechanism
            ).returncode
            != 0
        )
    for password, code in ((login.password, 0), (GUESS, MSMTP_AUTH_FAILED)):
        who = replace(login, password=password)
        asked = msmtp_asks(restante.smtps, who, "alpha.example", mechanism="scram-sha-256")
        assert asked.returncode == code, asked.stdout
    with Session(restante.mx) as session:
        assert session.authenticate(login).startswith(b"538")
        assert session.say(login.password).startswith(b"500")
    with Session(restante.smtps, source="127.0.13.1") as session:
        assert session.say("AUTH PLAIN !").startswith(b"501")
        assert session.say(plain_response(login)).startswith(b"500")
        assert session.authenticate(Login(MISPLACED, "alpha")).startswith(b"535")


def use_another_key(world: World) -> None:
    """With a key under which nothing was sealed the server refuses, as with an invalid one."""
    restante = world.restante
    file = restante.directory / "restante.key"
    right = file.read_bytes()
    file.write_bytes(os.urandom(32))
    refused = world.run("serve")
    assert refused.returncode == NOT_CONFIGURED
    assert f"{file}: the mail of this store is sealed under another key file" in refused.stderr
    file.write_text(NO_KEY)
    for words in (("config", "check"), ("serve",)):
        assert world.run(*words).returncode == NOT_CONFIGURED
    file.write_bytes(right)


def restart_with_text(world: World) -> None:
    """Start with the other style of log."""
    restante = world.restante
    text = restante.config.read_text()
    restante.config.write_text(text.replace('style = "json"', 'style = "text"'))
    restante._process.start([RESTANTE, "--config", restante.config, "serve"])
    eventually(
        lambda: " server-ready " in restante.log_tail(),
        what="the server to be ready",
        timeout=restante.patience,
    )


def spellings(secret: bytes) -> list[bytes]:
    """Return the forms of a secret: as it is, in hex, and in base64 at each offset."""
    inner = [base64.b64encode(b"x" * shift + secret)[4 * (shift > 0) : -4] for shift in range(3)]
    return [secret, secret.hex().encode(), secret.hex().upper().encode(), *inner]


def test_no_secret_is_said_logged_or_stored_in_plain(world: World) -> None:
    found = [
        f"{what} is in {where}"
        for what, secret in world.secrets.items()
        for where, text in world.texts().items()
        if any(spelling in text for spelling in spellings(secret))
    ]
    assert found == []


def test_all_matches_of_a_search_are_found(world: World) -> None:
    """The search works: it finds a text that is no secret in both logs, the store and its copy."""
    texts = world.texts()
    assert '"event": "authentication"' in texts["the log"].decode()
    assert " authentication peer=" in texts["the log"].decode()
    assert any(
        path.endswith("data/restante.db") and b"generated" in text for path, text in texts.items()
    )
    assert any(
        path.endswith("backup/restante.db") and b"$argon2id$" in text
        for path, text in texts.items()
    )
    assert b"serve" in texts["cmdline"]
    assert texts["environ"]


@pytest.mark.parametrize("before", [b"", b"1", b"12", b"123"])
def test_the_search_finds_a_secret_in_every_spelling(before: bytes) -> None:
    secret = b"the secret of this test"
    hidden = before + secret + b" and more"
    for text in (
        hidden,
        hidden.hex().encode(),
        hidden.hex().upper().encode(),
        base64.b64encode(hidden),
    ):
        assert any(spelling in text for spelling in spellings(secret))


# The process as others see it, and its remains


def start_in(restante: Installation, shell: str) -> None:
    """Start the server from a shell in which this was said."""
    restante._process.start(
        [
            "/bin/sh",
            "-c",
            f'{shell} && exec "$0" "$@"',
            RESTANTE,
            "--config",
            restante.config,
            "serve",
        ]
    )
    restante.await_start()


def test_a_server_that_dies_leaves_no_core(tmp_path: Path) -> None:
    """However it is started. The counterpart: a careless process leaves a core file."""
    careful, careless = tmp_path / "careful", tmp_path / "careless"
    for place in (careful, careless):
        place.mkdir()
    with Installation() as restante:
        start_in(restante, f"ulimit -c unlimited && cd {careful}")
        limits = Path(f"/proc/{restante.pid}/limits").read_text()
        assert [line.split()[-3:-1] for line in limits.splitlines() if "core file" in line] == [
            ["0", "0"]
        ]
        assert restante._process.end_by(signal.SIGABRT) == -signal.SIGABRT
    assert list(careful.iterdir()) == []

    subprocess.run(
        ["/bin/sh", "-c", f"ulimit -c unlimited && cd {careless} && kill -ABRT $$"], check=False
    )
    assert list(careless.iterdir()) != [] or CORE_PATTERN.read_text()[0] in "|/"


def test_its_memory_is_not_for_its_user_to_see() -> None:
    """Another process of that user cannot read the key from the server's memory."""
    require_root()
    with Installation(user=NOBODY) as restante:
        restante.start()
        assert look(restante.pid, "cmdline")
        for what in ("environ", "mem", "maps"):
            assert look(restante.pid, what) is None
        with subprocess.Popen(
            ["/bin/sleep", "60"], user=NOBODY, group="nogroup", extra_groups=[]
        ) as other:
            assert look(other.pid, "environ") is not None
            other.kill()


def look(pid: int, what: str) -> bytes | None:
    """Read of a process as that user; None where that is refused."""
    ended = subprocess.run(
        ["/bin/cat", f"/proc/{pid}/{what}"],
        check=False,
        capture_output=True,
        user=NOBODY,
        group="nogroup",
        extra_groups=[],
    )
    return None if b"Permission denied" in ended.stderr else ended.stdout


# Files


PUBLIC = {"made", "tls", "cert.pem", "cert-rsa.pem", "trust.pem", "restante.toml"}


def modes(place: Path) -> dict[str, str]:
    """Return the rights of others below a directory, as far as they can reach it."""
    paths = [place, *place.rglob("*")]
    return {
        str(path): stat.filemode(path.lstat().st_mode)
        for path in paths
        if path.lstat().st_mode & 0o077
    }


def test_files_of_init_are_for_their_owner_only(tmp_path: Path) -> None:
    """With any umask: keys and store are private; configuration and certificates are not."""
    words = [
        str(RESTANTE),
        "init",
        "--dir",
        str(tmp_path / "made"),
        "--hostname",
        "mx2.example.net",
    ]
    subprocess.run(words, check=True, capture_output=True, umask=0)
    others = modes(tmp_path / "made")
    assert {Path(path).name for path in others} == PUBLIC
    assert not any(mode[5] == "w" or mode[8] == "w" for mode in others.values()), others
    renew = [str(RESTANTE), "init", "--renew-certificate", "--dir", str(tmp_path / "made")]
    subprocess.run(renew, check=True, capture_output=True, umask=0)
    assert modes(tmp_path / "made") == others


def test_files_of_the_server_are_for_their_owner_only(tmp_path: Path) -> None:
    """With any umask: store, log, index, content, ballast, control socket and copy are private."""
    with Installation() as restante:
        restante.hosts("alpha.example", AWAY)
        start_in(restante, "umask 0")
        for content in (b"", LARGE):
            send(restante.mx, "reader@alpha.example", content=message("held", content))
        data, backup = restante.directory / "data", tmp_path / "backup"
        restante.do("store", "backup", str(backup))
        names = {path.name for path in data.iterdir()}
        assert names == {
            "restante.db",
            "restante.db-wal",
            "restante.db-shm",
            "content",
            "ballast",
            "log-expected",
            "lock",
            "control.sock",
        }
        assert any(path.is_file() for path in (data / "content").rglob("*"))
        assert modes(data) == {}
        assert modes(backup) == {}


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o660])
def test_with_a_key_that_others_may_read_nothing_starts(mode: int) -> None:
    with Installation() as restante:
        key = restante.directory / "restante.key"
        key.chmod(mode)
        for words in (("serve",), ("config", "check")):
            refused = restante.run(*words)
            assert refused.returncode == NOT_CONFIGURED
            [line] = refused.stderr.splitlines()
            assert f"others may read it (mode {mode:04o})" in line
            assert f"chmod 600 {key}" in line


def test_a_store_that_others_may_look_into_is_told_of() -> None:
    with Installation() as restante:
        data = restante.directory / "data"
        data.chmod(0o755)
        warning = f"restante: warning: {data}: other users can read held mail; chmod 700 {data}"
        assert warning in restante.run("config", "check").stderr.splitlines()
        restante.start()
        assert warning in restante.log_path.read_text().splitlines()
