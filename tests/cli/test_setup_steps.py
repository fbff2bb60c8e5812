"""The steps of a setup: an installation of the system, another one, and refusals."""

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from restante.cli import setup_steps
from restante.cli.failures import Exit, Failure
from restante.cli.setup_dialogue import gather_answers
from restante.cli.setup_steps import (
    files_of,
    listeners_of,
    look_at_domain,
    password_file,
    steps_of,
    store_place,
)
from restante.config.config_template import SELF_SIGNED
from restante.config.setup_files import OWN_PAIR
from tests.cli.setup_machines import OLGAS, ROOTS

SYSTEM = {"dir": "/etc/restante"}
DOMAIN = {"domain": "acme.example", "destination": "mail.acme.example"}


def answered(given: Mapping[str, str] | None = None, **known: str) -> dict[str, str]:
    return gather_answers(ROOTS, given or {}, known or SYSTEM, asks=False)


def test_an_installation_of_the_system_is_where_the_unit_looks() -> None:
    files = files_of(answered({"service": "yes"}), ROOTS)
    assert files.config == Path("/etc/restante/restante.toml")
    assert files.store == Path("/var/lib/restante")
    assert files.choices.store == "sqlite:///var/lib/restante"
    assert files.choices.control_socket == "/run/restante/control.sock"
    assert files.choices.user == "restante"
    assert files.choices.looks_up_clients
    assert [f"{one.service} {one.address}" for one in files.choices.listeners] == [
        "mx 0.0.0.0:25",
        "mx [::]:25",
        "smtps 0.0.0.0:465",
        "smtps [::]:465",
        "web 127.0.0.1:8025",
        "odmr 127.0.0.1:3660",
    ]


def test_another_installation_is_beneath_its_directory() -> None:
    answers = answered(dir="/srv/restante")
    files = files_of(answers, ROOTS)
    assert store_place(answers, ROOTS) == Path("/srv/restante/data")
    assert (files.choices.store, files.choices.control_socket) == ("sqlite:data", "")
    assert store_place(SYSTEM, OLGAS) == Path("/etc/restante/data")


def test_the_way_of_the_certificate_is_that_of_the_configuration() -> None:
    acme = answered({"certificate": "acme", "accept_terms": "https://ca.example/t"})
    choices = files_of(acme, ROOTS).choices
    assert choices.certificates == SELF_SIGNED, "until the authority's are there"
    assert choices.acme is not None
    assert (choices.acme.accept_terms, choices.acme.contact) == ("https://ca.example/t", "")
    assert {one.address for one in listeners_of(acme) if one.service == "acme"} == {
        "0.0.0.0:80",
        "[::]:80",
    }
    known = SYSTEM | {"certificate": "own", "certificate_file": "/c.pem", "key_file": "/k.pem"}
    files = files_of(answered(None, **known), ROOTS)
    assert files.choices.certificates == OWN_PAIR
    assert files.own_pair == (Path("/c.pem"), Path("/k.pem"))


def test_the_steps_are_those_that_the_answers_need() -> None:
    full = steps_of(answered({**DOMAIN, "service": "yes"}), ROOTS)
    assert [one.name for one in full] == ["user", "files", "store", "service", "records"]
    plain = gather_answers(OLGAS, {}, {"dir": "/home/olga/r"}, asks=False)
    assert [one.name for one in steps_of(plain, OLGAS)] == ["files", "store"]


def test_mail_without_its_configuration_is_never_taken_over(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/restante.db").touch()
    answers = gather_answers(OLGAS, {}, {"dir": str(tmp_path)}, asks=False)
    [files, _] = steps_of(answers, OLGAS)
    with pytest.raises(Failure, match="has a store already; move it away, or restore"):
        files.do()
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


@pytest.fixture
def units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory of units of a machine with user nobody, whose systemctl only counts."""
    started: list[None] = []
    account = SimpleNamespace(pw_uid=65534, pw_gid=0)
    monkeypatch.setattr(setup_steps, "unix_account", lambda _: account)
    monkeypatch.setattr(setup_steps, "start_unit", lambda: started.append(None))
    monkeypatch.setattr(setup_steps, "unit_place", lambda: tmp_path / "restante.service")
    monkeypatch.setattr(
        setup_steps, "find_unit", lambda: next(iter(tmp_path.glob("restante.service")), None)
    )
    return tmp_path


def test_a_place_that_the_user_of_the_server_cannot_enter_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "restante.toml"
    monkeypatch.setattr("restante.config.load.load", lambda *_: SimpleNamespace(user="mail"))
    monkeypatch.setattr("restante.config.privileges.closed_to", lambda *_: tmp_path)
    with pytest.raises(Failure, match="user mail cannot enter it; let it enter") as caught:
        setup_steps._make_store(config)
    assert caught.value.code == Exit.CANNOT_CREATE
    assert not [*tmp_path.iterdir()]


def test_a_unit_is_written_once(units: Path) -> None:
    answers = answered({"service": "yes", "user": "nobody"})
    [service] = [one for one in steps_of(answers, ROOTS) if one.name == "service"]
    service.do()
    unit = units / "restante.service"
    text = unit.read_text()
    assert "--config /etc/restante/restante.toml serve\n" in text
    assert "\nUser=nobody\nGroup=root\n" in text
    unit.write_text(f"{text}# changed by the operator\n")
    service.do()
    assert unit.read_text().endswith("# changed by the operator\n")


def test_a_unit_of_another_configuration_is_left_alone(units: Path) -> None:
    unit = units / "restante.service"
    [service] = [one for one in steps_of(answered({"service": "yes"}), ROOTS)
                 if one.name == "service"]  # fmt: skip
    unit.write_text("ExecStart=restante --config /srv/x.toml serve\nUser=restante\n")
    with pytest.raises(Failure, match="is for another configuration; change or remove it"):
        service.do()
    unit.write_text("ExecStart=restante --config /etc/restante/restante.toml serve\nUser=mail\n")
    with pytest.raises(Failure, match="is not for user restante; change or remove it"):
        service.do()


def test_the_password_has_a_file_beside_the_configuration() -> None:
    assert password_file(answered(DOMAIN)) == Path("/etc/restante/acme-password")


def test_a_look_that_fails_is_a_text(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen = look_at_domain(tmp_path / "restante.toml", answered(DOMAIN))
    assert [*seen] == ["failures"]
    assert f"{tmp_path}/restante.toml" in seen["failures"][0]


def test_of_several_looks_one_may_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    failure = Failure(Exit.TRY_LATER, "dns: cause; remedy")
    found: list[Any] = [failure, {"rows": []}, [{"parts": []}]]
    assert setup_steps._sorted_out(["dns", "check", "snippets"], found) == {
        "check": {"rows": []},
        "snippets": [{"parts": []}],
        "failures": ["dns: cause; remedy"],
    }
