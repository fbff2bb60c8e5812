"""Each question of a setup: its default on a machine, and whether an answer will do."""

from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path

import pytest

from restante.cli.setup_answers import QUESTIONS, TERMS, SetupQuestion
from tests.cli.setup_machines import OLGAS, ROOTS

CHOSEN = {"domain": "acme.example", "destination": "mail.acme.example:25", "account": "acme"}


def question(name: str) -> SetupQuestion:
    return next(one for one in QUESTIONS if one.name == name)


@pytest.mark.parametrize(
    ("name", "text", "answer"),
    [
        ("dir", "/etc/x/../y", "/etc/x/../y"),
        ("hostname", "MX2.Example.NET.", "mx2.example.net"),
        ("user", "mail-2", "mail-2"),
        ("certificate", "ACME", "acme"),
        ("accept_terms", "yes", TERMS),
        ("accept_terms", "https://ca.example/terms", "https://ca.example/terms"),
        ("contact", "", ""),
        ("contact", "olga@example.net", "olga@example.net"),
        ("domain", "", ""),
        ("domain", "Bücher.example", "xn--bcher-kva.example"),
        ("account", "acme", "acme"),
        ("login", "acme-mail", "acme-mail"),
        ("destination", "mail.acme.example", "mail.acme.example:25"),
        ("destination", "192.0.2.25:2525", "192.0.2.25:2525"),
        ("destination", "2001:db8::25", "[2001:db8::25]:25"),
        ("allow", "192.0.2.0/24", "192.0.2.0/24"),
        ("allow", "Mail.acme.example", "mail.acme.example"),
        ("primary", "Exim", "exim"),
        ("listen", "0.0.0.0, [::], 0.0.0.0", "0.0.0.0,::"),
        ("mx_port", "025", "25"),
    ],
)
def test_an_answer_that_will_do(name: str, text: str, answer: str) -> None:
    assert question(name).checked(text, {}) == answer


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("dir", "", "A directory has a name. Write one, such as /etc/restante."),
        ("dir", "/srv/a\nb", "'/srv/a\\nb' has control characters. Write it without them."),
        ("dir", "/srv/" + 300 * "x", "File name too long. Write another name."),
        ("dir", "/" + "/".join(30 * ["x" * 200]), "File name too long. Write another name."),
        ("contact", "olga@example.net\n[x]", "has control characters"),
        ("hostname", "mx2.example.net\x1b[31m", "has control characters"),
        ("dir", "/etc/passwd", "/etc/passwd is a file. Write the name of a directory."),
        ("hostname", "no name", "'no name' is not a host name. Write a full name, such as"),
        ("hostname", "192.0.2.1", "'192.0.2.1' is not a host name"),
        ("user", "root", "The server does not run as root. Write the name of a plain user."),
        ("user", "-x", "'-x' is not a user name"),
        ("certificate", "lets encrypt", "is not a choice. Write self-signed, acme or own."),
        ("accept_terms", "no", "Without them the authority issues nothing."),
        ("contact", "olga", "'olga' is not a mail address"),
        ("domain", "a@b.example", "'a@b.example' is not a domain name"),
        ("account", "Acme", "'Acme' is not an account name"),
        ("login", "a b", "'a b' is not a user name"),
        ("destination", "mail:x", "'mail:x' is not a host"),
        ("destination", "mail:0", "'mail:0' is not a host"),
        ("destination", "none", "is added later, by `restante domain add --destination none`"),
        ("allow", "192.0.2.1/24", "is neither a host nor a network"),
        ("primary", "?", "'?' is not known. Write one of postfix, postfix-proxy,"),
        ("listen", "mx2.example.net", "is not an address of this machine"),
        ("mx_port", "65536", "is not a port. Write a number from 1 to 65535."),
        ("service", "maybe", "is neither yes nor no"),
        ("certificate_file", "/nowhere/x", "/nowhere/x: No such file or directory. Name a file"),
    ],
)
def test_an_answer_that_will_not_do_is_told_why(name: str, text: str, said: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  the text is compared
        question(name).checked(text, {})
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("destination", "is_own"),
    [
        ("MX2.example.net", True),
        ("mx2.example.net:2525", True),
        ("localhost", True),
        ("localhost:2526", False),
        ("127.0.0.3", True),
        ("[::1]:8025", True),
        ("0.0.0.0", True),
        ("198.51.100.7:465", True),
        ("198.51.100.7:2526", False),
        ("198.51.100.8", False),
        ("mail.acme.example", False),
    ],
)
def test_this_server_is_no_destination(destination: str, *, is_own: bool) -> None:
    answers = {
        "hostname": "mx2.example.net",
        "listen": "198.51.100.7,::1",
        "mx_port": "25",
        "smtps_port": "465",
        "web_port": "8025",
    }
    refused = pytest.raises(ValueError, match=r"is this server\. Write the server where")
    with refused if is_own else nullcontext():
        question("destination").checked(destination, answers)


def test_files_of_a_certificate_must_fit(tmp_path: Path) -> None:
    from restante.config.self_signed import key_pem, new_ecdsa_key, self_signed  # noqa: PLC0415

    key, other = new_ecdsa_key(), new_ecdsa_key()
    places = {name: tmp_path / name for name in ("cert", "expired", "key", "other", "text")}
    places["cert"].write_bytes(self_signed("mx2.example.net", key, 2_000_000_000))
    places["expired"].write_bytes(self_signed("mx2.example.net", key, 1_000_000_000))
    places["key"].write_bytes(key_pem(key))
    places["other"].write_bytes(key_pem(other))
    places["text"].write_text("text")
    answers = {"certificate_file": str(places["cert"])}
    assert question("certificate_file").checked(str(places["cert"]), {}) == str(places["cert"])
    assert question("key_file").checked(str(places["key"]), answers) == str(places["key"])
    for name, place, said in (
        ("certificate_file", "text", "text holds no PEM certificate. Give the file with BEGIN"),
        ("certificate_file", "expired", "expired has expired (2002-10-1"),
        ("key_file", "text", "text holds no PEM private key. Give the file with BEGIN"),
        ("key_file", "other", f"other is not the key of {places['cert']}. Name its key."),
    ):
        with pytest.raises(ValueError) as caught:  # noqa: PT011  the text is compared
            question(name).checked(str(places[place]), answers)
        assert said in str(caught.value)


@pytest.mark.parametrize(
    ("name", "answers", "of_root", "of_olga"),
    [
        ("dir", {}, "/etc/restante", "/home/olga/restante"),
        ("listen", {}, "0.0.0.0,::", "127.0.0.1"),
        ("mx_port", {}, "25", "2525"),
        ("smtps_port", {}, "465", "4465"),
        ("web_port", {}, "8025", "8025"),
        ("hostname", {}, "mx2.example.net", "mx2.example.net"),
        ("certificate", {}, "self-signed", "self-signed"),
        ("domain", {}, "", ""),
        ("account", CHOSEN, "acme", "acme"),
        ("login", CHOSEN, "acme", "acme"),
        ("destination", CHOSEN, None, None),
        ("allow", CHOSEN, "mail.acme.example", "mail.acme.example"),
    ],
)
def test_a_default(
    name: str, answers: Mapping[str, str], of_root: str | None, of_olga: str | None
) -> None:
    assert question(name).default(ROOTS, answers) == of_root
    assert question(name).default(OLGAS, answers) == of_olga


def test_systemd_starts_an_installation_of_the_system_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service = question("service")
    program = Path("/opt/restante/bin/restante")
    monkeypatch.setattr("restante.cli.setup_answers.own_program", lambda: program)
    assert service.default(ROOTS, {"dir": "/etc/restante"}) == "yes"
    assert service.default(ROOTS, {"dir": "/srv/restante"}) == "no"
    assert service.default(OLGAS, {"dir": "/etc/restante"}) == "no"
    monkeypatch.setattr(
        "restante.cli.setup_answers.own_program", lambda: Path("/home/olga/bin/restante")
    )
    assert service.default(ROOTS, {"dir": "/etc/restante"}) == "no"


def test_only_root_chooses_a_user() -> None:
    assert question("user").is_asked(ROOTS, {})
    assert not question("user").is_asked(OLGAS, {})
