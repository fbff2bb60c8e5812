"""The text of a new configuration is valid with every choice, and says what was chosen."""

import tomllib

from restante.config.config_template import (
    ACME_DIRECTORY,
    AcmeChoice,
    ConfigChoices,
    ListenChoice,
    configuration_text,
)


def test_without_choices_it_listens_on_loopback_and_leaves_the_rest_as_comments() -> None:
    text = configuration_text(ConfigChoices("mx2.example.net"))
    values = tomllib.loads(text)
    assert values["hostname"] == "mx2.example.net"
    assert values["store"] == "sqlite:data"
    assert {one["address"].partition(":")[0] for one in values["listen"]} == {"127.0.0.1"}
    assert values["tls"]["certificate"] == ["tls/cert.pem", "tls/cert-rsa.pem"]
    assert not values.keys() & {"user", "control_socket", "acme", "reception"}
    for comment in ('\n# user = "restante"\n', "\n# ptr = true  ", "\n# [telemetry]\n"):
        assert comment in text


def test_all_choices_are_settings() -> None:
    listeners = [ListenChoice("mx", "0.0.0.0:25"), ListenChoice("acme", "[::]:80")]
    choices = ConfigChoices(
        "mx2.example.net",
        store="sqlite:///var/lib/restante",
        control_socket="/run/restante/control.sock",
        user="mail-2",
        listeners=listeners,
        certificates=(("tls/cert.pem", "tls/key.pem"),),
        acme=AcmeChoice(ACME_DIRECTORY, "https://ca.example/terms", "olga@example.net"),
        looks_up_clients=True,
    )
    values = tomllib.loads(configuration_text(choices))
    assert values["store"] == "sqlite:///var/lib/restante"
    assert values["control_socket"] == "/run/restante/control.sock"
    assert values["user"] == "mail-2"
    assert values["listen"] == [
        {"service": "mx", "address": "0.0.0.0:25"},
        {"service": "acme", "address": "[::]:80"},
    ]
    assert values["tls"]["certificate"] == "tls/cert.pem"
    assert values["tls"]["key"] == "tls/key.pem"
    assert values["acme"] == {
        "directory": ACME_DIRECTORY,
        "names": ["mx2.example.net"],
        "accept_terms": "https://ca.example/terms",
        "contact": "olga@example.net",
    }
    assert values["reception"] == {"ptr": True}


def test_a_contact_that_was_not_given_is_left_out() -> None:
    choices = ConfigChoices("mx2.example.net", acme=AcmeChoice(ACME_DIRECTORY, "https://x/"))
    values = tomllib.loads(configuration_text(choices))
    assert "contact" not in values["acme"]
    assert values["log"] == {"style": "text"}


def test_texts_are_quoted() -> None:
    text = configuration_text(ConfigChoices("mx2.example.net", store='sqlite:///a"b\\c'))
    assert tomllib.loads(text)["store"] == 'sqlite:///a"b\\c'


def test_a_remark_for_loopback_stands_at_loopback_only() -> None:
    public = ConfigChoices("mx2.example.net", listeners=[ListenChoice("mx", "0.0.0.0:25")])
    _, _, listeners = configuration_text(public).partition("[[listen]]")
    assert "on the Internet:" not in listeners.partition("[tls]")[0]
