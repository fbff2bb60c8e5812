"""Single messages and drills: the real server and command, with a real Postfix as the primary."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import partial
from typing import Any, Final

from tests.acceptance.installation import HOST, HOSTNAME, Installation, at
from tests.acceptance.name_server import NameServer
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.postfix import PostfixPrimary
from tests.acceptance.peers.sink import SmtpSink
from tests.acceptance.sample import message
from tests.acceptance.session import Session
from tests.acceptance.test_domain_check import records

DOMAIN: Final = "customer.example"
FAILED: Final = 2  # the exit code of a drill that did not pass
CONFLICT: Final = 65
NOBODY: Final = f"nobody@{DOMAIN}"
REJECTED: Final = f"{{ {{ {NOBODY} = REJECT who is that }} }}"
RULE: Final = {"smtpd_recipient_restrictions": f"check_recipient_access inline:{REJECTED}"}


def bring(restante: Installation, *tokens: str) -> None:
    """Bring a message for each token."""
    with Session(restante.mx) as session:
        for token in tokens:
            for line in ("MAIL FROM:<a@sender.example>", f"RCPT TO:<who@{DOMAIN}>"):
                assert session.say(line).startswith(b"250")
            assert session.say("DATA").startswith(b"354")
            assert session.say(message(token).decode() + ".").startswith(b"250")


def names_of(restante: Installation) -> list[str]:
    return [one["name"] for one in restante.shown("queue", "list", "--domain", DOMAIN)]


def arrived(primary: PostfixPrimary, word: bytes) -> bool:
    return any(word in raw for raw in primary.messages())


def drilled(restante: Installation, *options: str, code: int = 0) -> dict[str, Any]:
    """Drill the domain; return the proof."""
    ended = restante.run("drill", DOMAIN, "--despite-check", "--json", *options)
    assert ended.returncode == code, (ended.stdout, ended.stderr)
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def test_one_message_leaves_by_name_and_a_drill_proves_the_whole_way() -> None:
    with (
        NameServer({}) as names,
        Installation(more=names.settings) as restante,
        PostfixPrimary([DOMAIN], settings=RULE) as primary,
    ):
        primary.start()
        restante.start()
        login = restante.hosts(DOMAIN, at(primary))
        bring(restante, "first", "second")
        first, second = names_of(restante)

        told = restante.do("queue", "release", second, "--reason", "it is urgent")
        assert told == f"{second}: 1 message released\n"
        eventually(lambda: names_of(restante) == [first], what="the second message left alone")
        assert arrived(primary, b"second")
        assert not arrived(primary, b"first")

        file = restante.directory / "proof.json"
        drill = drilled(restante, "--proof", str(file))["drill"]
        assert drill["is_passed"]
        assert re.fullmatch(r"250 2\.0\.0 Ok: .*queued as \w+", drill["reply"])
        assert drill["tls"].startswith("TLSv1.3 ")
        assert [one["step"] for one in drill["steps"]] == ["check", "enter", "hold", "hand-over"]
        assert names_of(restante) == [first]
        assert restante.do("drill", "--verify", str(file)).startswith("genuine: ")
        file.write_text(file.read_text().replace('"is_passed": true', '"is_passed": false'))
        assert restante.run("drill", "--verify", str(file)).returncode == CONFLICT
        [shown] = restante.shown("status", DOMAIN)["domains"]
        assert shown["drill"].startswith("proven today in ")

        refused = restante.run("drill", DOMAIN, "--ask", "primary", "--despite-check")
        assert refused.returncode == CONFLICT
        assert "holds 1 other message" in refused.stderr
        restante.do("release", DOMAIN, "--wait")

        words = ["drill", DOMAIN, "--ask", "primary", "--wait", "30", "--despite-check", "--json"]
        command = [sys.executable, "-m", "restante", *words, "--config", str(restante.config)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as waiting:
            eventually(lambda: len(names_of(restante)) == 1, what="the drill's message is held")
            assert restante.etrn(DOMAIN, login=login).returncode == 0
            out, _ = waiting.communicate(timeout=90)
        drill = json.loads(out)["drill"]
        assert drill["is_passed"]
        assert drill["asked_by"].startswith(f"login {login.user}, ")

        bad = drilled(restante, "--recipient", NOBODY, "--wait", "5", code=FAILED)
        assert "554 5.7.1 <nobody@customer.example>" in bad["drill"]["failure"]
        assert names_of(restante) == []
        assert HOSTNAME in bad["drill"]["server"]


def test_a_timer_drills_after_a_restart_and_shows_its_proof() -> None:
    """A drill that was killed leaves nothing, and one that fails is repeated a day later."""
    with (
        NameServer({}) as names,
        Installation(more=names.settings) as restante,
        PostfixPrimary([DOMAIN]) as primary,
    ):
        primary.start()
        restante.start()
        restante.hosts(DOMAIN, at(primary), "--drill-every", "30d")
        eventually(lambda: status(restante)["next_drill_at"], what="the timer is seen")
        assert status(restante)["drill"] == ""

        words = ["drill", DOMAIN, "--ask", "primary", "--despite-check", "--wait", "60"]
        command = [sys.executable, "-m", "restante", *words, "--config", str(restante.config)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as waiting:
            eventually(lambda: len(names_of(restante)) == 1, what="the drill's message is held")
            refused = restante.run("drill", DOMAIN)
            assert refused.returncode == CONFLICT
            assert "another drill of customer.example runs" in refused.stderr
            restante.kill()
            waiting.communicate(timeout=90)
        restante.ahead(0)
        restante.start()
        eventually(lambda: names_of(restante) == [], what="the message is removed")
        [removed, *_] = restante.shown("audit", "--action", "mail-deleted")
        assert removed["reason"] == "it was left by a drill that did not end"

        restante.stop()
        restante.ahead(8 * 86_400.0)
        restante.start()
        failed = restante.wait_for_event("drill-failed", domain=DOMAIN)
        assert failed["reason"].startswith("check: ")  # nothing about the domain is in DNS
        assert status(restante)["drill"] == "failed today"
        assert status(restante)["next_drill_at"]

        names.records = records(primary.address, "v=spf1 ip4:203.0.113.1 -all")
        restante.stop()
        restante.ahead(10 * 86_400.0)
        restante.start()
        passed = restante.wait_for_event("drill-passed", domain=DOMAIN)
        assert status(restante)["drill"].startswith("proven today in ")
        eventually(lambda: len(primary.messages()) == 1, what="the primary has it in a mailbox")
        [last] = restante.shown("audit", "--action", "domain-drilled", "--limit", "1")
        assert last["reason"].startswith("by its timer; passed in ")
        assert passed["proven_again"]


def test_of_two_servers_of_a_store_one_drills_by_a_timer(database: str) -> None:
    """After the end of that server, the other one finds that nothing is due."""
    with (
        NameServer(records(HOST, "v=spf1 ip4:203.0.113.1 -all")) as names,
        Installation(database=database, more=names.settings) as one,
        Installation(database=database, more=names.settings) as other,
        SmtpSink(keep_content=True) as primary,
    ):
        primary.start()
        one.start()
        one.hosts(DOMAIN, at(primary), "--drill-every", "30d")
        eventually(lambda: status(one)["next_drill_at"], what="the timer is seen")
        one.stop()
        servers = {one, other}
        for server in servers:
            server.ahead(8 * 86_400.0)
            server.start()

        def drilling() -> list[Installation]:
            return [server for server in servers if server.events("drill-passed")]

        [duty] = eventually(drilling, what="a drill")
        [waiting] = servers - {duty}
        duty.stop()
        for name in ("second.example", "third.example"):  # seen by one round, and by the next
            waiting.hosts(name, at(primary), "--drill-every", "30d")
            eventually(partial(next_drill, waiting, name), what="a look at all timers")
        assert not waiting.events("drill-passed")
        assert primary.count() == 1
        assert status(waiting)["drill"].startswith("proven today in ")


def next_drill(restante: Installation, domain: str) -> str | None:
    """Return when a domain is drilled next, once a server has noted its timer."""
    at: str | None = status(restante, domain)["next_drill_at"]
    return at


def status(restante: Installation, domain: str = DOMAIN) -> dict[str, Any]:
    """Return the status of a domain."""
    [shown] = restante.shown("status", domain)["domains"]
    return dict(shown)
