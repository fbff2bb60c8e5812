from pathlib import Path

import pytest

from restante.config.config_problem import ConfigError, ConfigProblem
from restante.config.config_text import as_toml
from restante.config.load import find_config, load, load_with_warnings
from tests.config.files import installed, replaced

KEYS = 'key = ["tls/key.pem", "tls/key-rsa.pem"]'


def problems(config: Path, **environ: str) -> list[ConfigProblem]:
    with pytest.raises(ConfigError) as caught:
        load(config, environ)
    return list(caught.value.problems)


def line_of(config: Path, text: str) -> str:
    number = next(
        number for number, line in enumerate(config.read_text().splitlines(), 1) if text in line
    )
    return f"{config}:{number}"


def test_the_configuration_of_init_can_be_loaded_and_its_paths_start_at_the_file(
    tmp_path: Path,
) -> None:
    config = load(installed(tmp_path), {})
    assert config.hostname == "mx2.example.net"
    assert config.store_directory == tmp_path / "data"
    assert config.control_socket == tmp_path / "data" / "control.sock"
    tls = tmp_path / "tls"
    assert config.tls.pairs == (
        (tls / "cert.pem", tls / "key.pem"),
        (tls / "cert-rsa.pem", tls / "key-rsa.pem"),
    )
    assert [listen.endpoint for listen in config.listen] == [
        ("127.0.0.1", 2525),
        ("127.0.0.1", 4465),
        ("127.0.0.1", 8025),
        ("127.0.0.1", 3660),
    ]
    assert config.file == tmp_path / "restante.toml"


def test_the_example_of_the_design_can_be_loaded(tmp_path: Path) -> None:
    file = tmp_path / "restante.toml"
    file.write_text(
        'hostname = "MX2.example.net"\nstore = "sqlite:///var/lib/restante"\n'
        '[[listen]]\nservice = "mx"\naddress = "0.0.0.0:25"\n'
        '[tls]\ncertificate = "tls/cert.pem"\nkey = "tls/key.pem"\nminimum = "1.2"\n'
    )
    config = load(file, {})
    assert config.hostname == "mx2.example.net"
    assert str(config.store_directory) == "/var/lib/restante"
    assert config.key_file == tmp_path / "restante.key"
    assert config.tls.pairs == ((tmp_path / "tls" / "cert.pem", tmp_path / "tls" / "key.pem"),)


def test_the_output_of_show_is_read_back_as_the_same(tmp_path: Path) -> None:
    first = load(
        installed(tmp_path), {"RESTANTE_RESOLVER__NAMESERVERS": '["::1", "192.0.2.1:5353"]'}
    )
    again = tmp_path / "again.toml"
    again.write_text(as_toml(first))
    assert load(again, {}).model_dump() == first.model_dump()
    assert first.resolver.endpoints == (("::1", 53), ("192.0.2.1", 5353))


@pytest.mark.parametrize(
    ("old", "new", "key", "said"),
    [
        ('hostname = "mx2.example.net"', "hostname = 5", "hostname", "write it in quotes"),
        ('"mx2.example.net"', '"no name"', "hostname", "full name"),
        ('"sqlite:data"', '"postgresql://h"', "store", "postgresql://USER@HOST/DATABASE"),
        ('"sqlite:data"', '"sqlite:data"\nrpo = "none"', "rpo", "'zero' or 'accept-loss'"),
        ('"sqlite:data"', '"sqlite:data"\nstate_dir = "s"', "state_dir", "PostgreSQL only"),
        ('"sqlite:data"', '"data"', "store", "sqlite:///DIRECTORY"),
        ('"sqlite:data"', '"sqlite://data"', "store", "sqlite:///DIRECTORY"),
        ('"sqlite:data"', '"memory:"', "store", "would lose all mail when the server stops"),
        ('"127.0.0.1:2525"', '"127.0.0.1"', "listen[0].address", "ADDRESS:PORT"),
        ('"127.0.0.1:4465"', '"localhost:25"', "listen[1].address", "ADDRESS:PORT"),
        ('"127.0.0.1:4465"', '"[::]:99999"', "listen[1].address", "ADDRESS:PORT"),
        ('"mx"  ', '"pop"', "listen[0].service", "'mx', 'smtps', 'odmr', 'odmrs', 'web' or 'acme'"),
        ('minimum = "1.2"', 'minimum = "1.4"', "tls.minimum", "'1.0', '1.1', '1.2' or '1.3'"),
        ('minimum = "1.2"', 'minimun = "1.2"', "tls.minimun", "did you mean tls.minimum?"),
        ('[log]\nstyle = "text"', '[lgo]\nstyle = "text"', "lgo", "did you mean log?"),
        ('[log]\nstyle = "text"', '[log]\nstyle = "xml"', "log.style", "'text' or 'json'"),
        ("[log]", '[log]\nlevel = "debug"', "log.level", "'info', 'warning' or 'error'"),
        ("[log]", '[log]\nto = "journal"', "log.to", "'stderr', 'file' or 'syslog'"),
        ("[log]", '[log]\nto = "file"', "log", "add file ="),
        ("[log]", '[log]\nfile = "a.log"', "log", 'write to = "file"'),
        ("[log]", '[log]\nsyslog_socket = "/run/log"', "log", 'write to = "syslog"'),
        (
            "[log]",
            "[reception]\nerrors_limit = 0\n[log]",
            "reception.errors_limit",
            "write 1 or more",
        ),
        ("[log]", '[delivery]\npatience = "long"\n[log]', "delivery.patience", "write a number"),
        (
            "[log]",
            "[reception]\nrecipients_limit = 1.5\n[log]",
            "reception.recipients_limit",
            "write a whole number",
        ),
        (
            KEYS,
            'key = "tls/key.pem"',
            "tls.key",
            "names 1 file for 2 certificates; name one key for each",
        ),
        (KEYS, "key = []", "tls.key", "is empty; add at least one"),
        (KEYS, 'key = ["tls/key.pem", 5]', "tls.key[1]", "is not text; write it in quotes"),
        (KEYS, "key = 5", "tls.key[0]", "is not text; write it in quotes"),
        ("key_file", 'uvloop = "maybe"\nkey_file', "uvloop", "write true or false"),
    ],
)
def test_a_wrong_setting_is_named_with_line_key_and_remedy(
    tmp_path: Path, old: str, new: str, key: str, said: str
) -> None:
    config = replaced(installed(tmp_path), old, new)
    (problem,) = problems(config)
    name = key.rpartition(".")[2].partition("[")[0]
    line = next((line for line in new.splitlines() if name in line), new)
    assert problem.where == line_of(config, line)
    assert problem.key == key
    assert said in str(problem)
    assert "\n" not in str(problem)


def test_every_problem_is_said_at_once(tmp_path: Path) -> None:
    config = replaced(installed(tmp_path), 'hostname = "mx2.example.net"', "uvlop = true")
    keys = {problem.key for problem in problems(replaced(config, "[tls]", "[tsl]"))}
    assert keys == {"hostname", "uvlop", "tls", "tsl"}


def test_a_missing_setting_comes_with_an_example(tmp_path: Path) -> None:
    config = replaced(installed(tmp_path), 'hostname = "mx2.example.net"', "")
    (problem,) = problems(config)
    assert (
        str(problem)
        == f'{config}: hostname: is not set; add it, for example hostname = "mx2.example.net"'
    )


def test_an_unknown_setting_is_not_repeated_for_it_may_be_a_secret(tmp_path: Path) -> None:
    config = replaced(installed(tmp_path), "[log]", '[reception]\npassword = "hush"\n[log]')
    assert "hush" not in str(problems(config)[0])


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        ("127.0.0.1:25", "127.0.0.1:25", True),
        ("127.0.0.1:25", "0.0.0.0:25", True),
        ("[::]:25", "[::1]:25", True),
        ("0.0.0.0:25", "[::]:25", False),
        ("127.0.0.1:25", "127.0.0.2:25", False),
        ("127.0.0.1:0", "127.0.0.1:0", False),
    ],
)
def test_two_listeners_do_not_meet(tmp_path: Path, one: str, other: str, meet: bool) -> None:
    config = replaced(replaced(installed(tmp_path), "127.0.0.1:2525", one), "127.0.0.1:4465", other)
    if meet:
        (problem,) = problems(config)
        assert "two listeners overlap" in problem.cause
    else:
        assert len(load(config, {}).listen) == 4


def test_text_that_is_no_toml_is_named_with_its_line(tmp_path: Path) -> None:
    config = replaced(installed(tmp_path), "[tls]", "[tls")
    (problem,) = problems(config)
    assert problem.where == line_of(config, "[tls")


def test_the_environment_sets_any_key(tmp_path: Path) -> None:
    environ = {
        "RESTANTE_HOSTNAME": "other.example",
        "RESTANTE_TLS__MINIMUM": "1.0",
        "RESTANTE_UVLOOP": "false",
        "RESTANTE_RECEPTION__ERRORS_LIMIT": "7",
        "RESTANTE_LISTEN": '[{"service": "mx", "address": "[::1]:2600", "tls_minimum": "1.3"}]',
        "RESTANTE_CONFIG": "unused",
    }
    config, warnings = load_with_warnings(installed(tmp_path), environ)
    assert (config.hostname, config.tls.minimum, config.uvloop) == ("other.example", "1.0", False)
    assert config.reception.errors_limit == 7
    assert config.listen[0].endpoint == ("::1", 2600)
    assert warnings == []


@pytest.mark.parametrize(
    ("certificate", "key", "pairs"),
    [
        ("/a.pem", "/b.pem", [("/a.pem", "/b.pem")]),
        ('["/a.pem"]', '["/b.pem"]', [("/a.pem", "/b.pem")]),
        (
            '["/a.pem", "/c.pem"]',
            '["/b.pem", "/d.pem"]',
            [("/a.pem", "/b.pem"), ("/c.pem", "/d.pem")],
        ),
        ("/[a].pem", "/5", [("/[a].pem", "/5")]),
    ],
)
def test_the_environment_takes_one_path_or_a_list(
    tmp_path: Path, certificate: str, key: str, pairs: list[tuple[str, str]]
) -> None:
    environ = {"RESTANTE_TLS__CERTIFICATE": certificate, "RESTANTE_TLS__KEY": key}
    config = load(installed(tmp_path), environ)
    assert [(str(one), str(other)) for one, other in config.tls.pairs] == pairs


def test_a_path_in_the_environment_starts_at_the_file_too(tmp_path: Path) -> None:
    environ = {"RESTANTE_TLS__CERTIFICATE": "5", "RESTANTE_TLS__KEY": '["true"]'}
    assert load(installed(tmp_path), environ).tls.pairs == ((tmp_path / "5", tmp_path / "true"),)


def test_a_mistake_in_the_environment_is_named_by_its_variable(tmp_path: Path) -> None:
    config = installed(tmp_path)
    assert problems(config, RESTANTE_TLS__MINIMUM="2")[0].where == "RESTANTE_TLS__MINIMUM"
    assert problems(config, RESTANTE_LISTEN="mx")[0].cause == "is not JSON"
    assert problems(config, RESTANTE_TLS__MINIMUN="1.2")[0].remedy == "did you mean tls.minimum?"
    assert (
        "as JSON in RESTANTE_LISTEN" in problems(config, RESTANTE_LISTEN__0__ADDRESS="x")[0].remedy
    )
    alone = problems(config, RESTANTE_TLS__KEY="/b.pem")
    assert [(problem.where, problem.cause) for problem in alone] == [
        ("RESTANTE_TLS__KEY", "names 1 file for 2 certificates")
    ]
    shorter = problems(config, RESTANTE_LISTEN='[{"service": "mx", "address": "x"}]')
    assert [problem.where for problem in shorter] == ["RESTANTE_LISTEN"]


def test_a_variable_of_no_setting_is_a_warning(tmp_path: Path) -> None:
    _, warnings = load_with_warnings(installed(tmp_path), {"RESTANTE_HOSTNAM": "x"})
    assert warnings == [
        "RESTANTE_HOSTNAM: names no setting and is ignored; did you mean RESTANTE_HOSTNAME?"
    ]


def test_the_file_is_searched_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given, named, here = (installed(tmp_path / name) for name in ("given", "named", "here"))
    monkeypatch.chdir(here.parent)
    environ = {"RESTANTE_CONFIG": str(named)}
    assert find_config(given, environ) == given
    assert find_config(None, environ) == named
    assert find_config(None, {}) == here


def test_no_file_at_all_is_an_error_with_the_places_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        ConfigError, match=r"tried restante.toml, /etc/restante/restante.toml.; .*restante init"
    ):
        find_config(None, {})
    with pytest.raises(ConfigError, match=r"nowhere\.toml"):
        load(tmp_path / "nowhere.toml", {})


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ('"50M"', 50 * 1024**2),
        ('"50 M"', 50 * 1024**2),
        ('"1T"', 1024**4),
        ('"64k"', 65536),
        ("70000", 70000),
    ],
)
def test_a_size_may_be_a_text_with_a_unit(tmp_path: Path, text: str, octets: int) -> None:
    config = installed(tmp_path)
    config.write_text(f"{config.read_text()}\n[reception]\nmessage_size_limit = {text}\n")
    assert load(config, {}).reception.message_size_limit == octets
    by_variable = load(config, {"RESTANTE_RECEPTION__MESSAGE_SIZE_LIMIT": "1G"})
    assert by_variable.reception.message_size_limit == 1024**3


def test_a_text_that_is_no_size_is_a_problem(tmp_path: Path) -> None:
    config = installed(tmp_path)
    config.write_text(f'{config.read_text()}\n[reception]\nmessage_size_limit = "50X"\n')
    [problem] = problems(config)
    assert (problem.key, problem.cause) == ("reception.message_size_limit", "is not a whole number")


@pytest.mark.parametrize("end", ["nonsense = [", "nonsense =", 'nonsense = """', "nonsense"])
def test_a_mistake_at_the_end_of_the_file_has_its_line(end: str, tmp_path: Path) -> None:
    file = tmp_path / "restante.toml"
    file.write_text(f'hostname = "mx2.example.net"\n\n{end}\n\n')
    [problem] = problems(file)
    assert str(problem).startswith(f"{file}:3: is not TOML: ")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://restante:hunter2@h/d",
        "postgresql://h/d?password=hunter2",
        "mysql://restante:hunter2@h/d",
        "sqlite://restante:hunter2@h/d",
    ],
)
@pytest.mark.parametrize("by", ["file", "environment"])
def test_a_password_in_the_url_of_the_store_is_not_repeated(
    tmp_path: Path, url: str, by: str
) -> None:
    file = installed(tmp_path)
    environ = {"RESTANTE_STORE": url} if by == "environment" else {}
    if by == "file":
        file.write_text(file.read_text().replace('"sqlite:data"', f'"{url}"'))
    with pytest.raises(ConfigError, match="store") as caught:
        load(file, environ)
    assert "hunter2" not in str(caught.value)
