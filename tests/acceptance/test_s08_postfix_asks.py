"""S8 by a stock client: a Postfix that sends us mail with SCRAM-SHA-256 of Cyrus SASL."""

from __future__ import annotations

from typing import Final

from tests.acceptance.installation import Installation
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.postfix import PostfixPrimary
from tests.acceptance.peers.programs import require
from tests.acceptance.peers.server import Login, Server
from tests.acceptance.sample import message, send

AWAY: Final = "127.0.0.1:9"


def relay(server: Server, login: Login, mechanism: str) -> dict[str, str]:
    """Return settings by which Postfix hands all mail to a server, under TLS and authenticated."""
    nexthop = f"[{server.host}]:{server.port}"
    return {
        "mynetworks": "127.0.0.0/8",
        "default_transport": f"smtp:{nexthop}",
        "smtp_host_lookup": "native",
        "smtp_tls_security_level": "secure",
        "smtp_tls_CAfile": str(server.authority),
        "smtp_sasl_auth_enable": "yes",
        "smtp_sasl_password_maps": f"inline:{{ {{ {nexthop} = {login.user}:{login.password} }} }}",
        "smtp_sasl_security_options": "noanonymous",
        "smtp_sasl_mechanism_filter": mechanism,
        "smtp_tls_loglevel": "1",
    }


def test_postfix_authenticates_by_scram(restante: Installation) -> None:
    """It checks our proof too: else it would put the mail off."""
    require("saslpasswd2")  # is there if Cyrus SASL's mechanisms are
    login = restante.hosts("alpha.example", AWAY)
    with PostfixPrimary([], settings=relay(restante.starttls, login, "scram-sha-256")) as postfix:
        postfix.start()
        send(
            Server(postfix.address, postfix.port),
            "reader@alpha.example",
            content=message("by postfix"),
        )
        eventually(lambda: restante.held("alpha.example") == 1, what="the mail that Postfix relays")
    said = restante.events("authentication")
    assert [(line["mechanism"], line["result"]) for line in said] == [("SCRAM-SHA-256", "accepted")]


def test_postfix_by_its_own_choice_gets_in(restante: Installation) -> None:
    """It takes the strongest that both have."""
    login = restante.hosts("beta.example", AWAY, account="beta")
    with PostfixPrimary([], settings=relay(restante.starttls, login, "")) as postfix:
        postfix.start()
        send(
            Server(postfix.address, postfix.port),
            "reader@beta.example",
            content=message("by postfix"),
        )
        eventually(lambda: restante.held("beta.example") == 1, what="the mail that Postfix relays")
    assert restante.events("authentication", login="beta", result="accepted")
