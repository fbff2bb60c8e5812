"""S5 when the certificate is renewed: SIGHUP shows the new one, and drops no session."""

from __future__ import annotations

from typing import Final

import pytest

from tests.acceptance.installation import HOST, HOSTNAME, Installation
from tests.acceptance.peers.askers import curl_asks
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.ports import free_port, is_free
from tests.acceptance.peers.server import Server, Tls
from tests.acceptance.sample import message, send
from tests.acceptance.session import Session

EDITS: Final = {
    "control_socket": ('hostname = "', 'control_socket = "other.sock"\nhostname = "'),
    "store": ('store = "sqlite:data"', 'store = "sqlite:other"'),
}
OF_A_DATABASE: Final = {"store": ('store = "postgresql:///', 'store = "postgresql:///not_')}
RENEWED: Final = ("cert.pem", "key.pem", "cert-rsa.pem", "key-rsa.pem")
AWAY: Final = "127.0.0.1:9"
UNAVAILABLE: Final = 69  # exit code of restante
BAD_CERTIFICATE: Final = 60  # exit code of curl


def test_a_reload_shows_the_new_certificate_and_drops_no_session(restante: Installation) -> None:
    """Neither one under TLS nor one in the middle of a mail transaction notices anything."""
    login = restante.hosts("alpha.example", AWAY)
    before = restante.smtps
    with Session(restante.starttls) as asking, Session(restante.mx) as sending:
        asking.authenticate(login)
        sending.say("MAIL FROM:<someone@sender.example>")
        sending.say("RCPT TO:<reader@alpha.example>")
        restante.certify()
        restante.reload()

        assert curl_asks(restante.smtps, login, "alpha.example").returncode == 0
        assert curl_asks(restante.starttls, login, "alpha.example").returncode == 0
        assert sending.say("DATA").startswith(b"354")
        assert sending.say("Subject: x\r\n\r\nin the middle of it\r\n.").startswith(
            b"250 2.0.0 OK, held as"
        )
        assert asking.say("ETRN alpha.example").startswith(b"253 ")
    assert before.authority != restante.authority
    assert curl_asks(before, login, "alpha.example").returncode == BAD_CERTIFICATE


def test_certificates_that_were_renewed_without_a_reload_are_told(
    restante: Installation,
) -> None:
    restante.certify()
    files = [str(restante.directory / "tls" / name) for name in RENEWED]
    assert restante.shown("status")["configuration"]["unread_certificates"] == files
    checked = restante.run("status", "--check")
    assert (checked.returncode, "certificate files were changed" in checked.stdout) == (1, True)
    restante.reload()
    assert restante.shown("status")["configuration"]["unread_certificates"] == []


def test_a_reload_of_nonsense_changes_nothing(restante: Installation) -> None:
    """The log names file and line, and the server goes on as it was."""
    right = restante.config.read_text()
    restante.config.write_text(right.replace("minimum =", "minimal ="))
    restante.ask_to_reload()

    failure = eventually(lambda: restante.events("reload-failed"), what="the reload to fail")
    assert "minimal" in failure[-1]["error"]
    restante.config.write_text(right)
    restante.hosts("beta.example", AWAY)
    send(restante.starttls, "reader@beta.example", content=message("after a failed reload"))


def test_a_reload_opens_and_closes_listeners_and_status_tells_what_waits(
    restante: Installation,
) -> None:
    """A block above the others, a file that cannot be used, and everything back as it was."""
    right = restante.config.read_text()
    port = free_port(HOST)
    added = f'[[listen]]\nservice = "smtps"\naddress = "{HOST}:{port}"\n\n'
    more = right.replace("[[listen]]", f"{added}[[listen]]", 1).replace(HOSTNAME, "mx3.example.net")
    restante.config.write_text(more)
    for _ in range(2):
        restante.reload()
    login = restante.hosts("gamma.example", AWAY)
    opened = Server("localhost", port, Tls.IMPLICIT, restante.authority)
    assert curl_asks(opened, login, "gamma.example").returncode == 0
    send(
        restante.starttls,
        "reader@gamma.example",
        content=message("through the door that was there"),
    )
    assert restante.events("server-reloaded")[-1]["restart_for"] == ["hostname"]

    restante.config.write_text(more.replace("tls/cert.pem", "tls/none.pem"))
    restante.ask_to_reload()
    eventually(lambda: "reload failed" in restante.run("status").stdout, what="status to tell")
    told = restante.shown("status")["configuration"]
    assert told["restart_for"] == ["hostname"]
    assert "cannot be read: No such file" in told["reload_failure"]

    restante.config.write_text(right)
    restante.reload()
    told = restante.shown("status")["configuration"]
    assert (told["reload_failed_at"], told["reload_failure"], told["restart_for"]) == (None, "", [])
    assert is_free(HOST, port)


@pytest.mark.parametrize("setting", EDITS)
def test_commands_find_the_server_after_its_place_in_the_file_is_edited(
    restante: Installation, setting: str
) -> None:
    """Before and after a reload. A command without the server's record names its socket."""
    right, socket = restante.config.read_text(), restante.socket
    edits = EDITS | (OF_A_DATABASE if restante.database else {})
    edited = right.replace(*edits[setting], 1)
    assert edited != right
    (restante.directory / "other").mkdir(mode=0o700, exist_ok=True)
    restante.config.write_text(edited)
    try:
        shown = restante.run("status")
        assert shown.returncode == 0, shown.stderr
        if setting == "control_socket" or not restante.database:  # whose socket is with the store
            assert f"still answers on {socket}; restart the server" in shown.stderr
        assert "no server" not in restante.run("status", "--check").stdout

        restante.reload()
        assert f"a restart is needed for {setting}" in restante.do("status")
        assert f"a restart is needed for {setting}" in restante.run("status", "--check").stdout

        if not restante.database:  # a database has no lock: the command opens the store itself
            copy = restante.directory / "copy.toml"
            copy.write_text(right.replace(*EDITS["control_socket"], 1))
            locked = restante.run("--config", str(copy), "account", "list")
            assert locked.returncode == UNAVAILABLE
            assert f"talk to it with `restante --socket {socket} …`" in locked.stderr
    finally:
        restante.config.write_text(right)
        restante.reload()
    assert restante.run("status").stderr == ""
