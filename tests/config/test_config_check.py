"""Errors in the files, the directories and the user that the configuration names."""

import os
import pwd
import shutil
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPrivateNumbers
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from restante.config import config_check
from restante.config.config_check import check_config
from restante.config.config_problem import ConfigError
from restante.config.load import load
from tests.config.files import ACME, ACME_LISTENER, NOW, installed, replaced, with_named, with_text

DAY = 86400


def failures(config: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        check_config(load(config, {}), NOW)
    return str(caught.value)


def warnings(config: Path, now: float = NOW) -> list[str]:
    return [line for line in check_config(load(config, {}), now) if "user is not set" not in line]


def test_the_files_of_init_pass_the_check(tmp_path: Path) -> None:
    assert warnings(installed(tmp_path)) == []


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    config = installed(tmp_path)
    (tmp_path / "restante.key").chmod(0o644)
    assert f"chmod 600 {tmp_path}/restante.key" in failures(config)


def test_a_key_of_the_wrong_length_is_refused(tmp_path: Path) -> None:
    config = installed(tmp_path)
    (tmp_path / "restante.key").write_bytes(bytes(31))
    assert "does not hold 32 octets" in failures(config)


def test_everything_that_is_missing_is_said_at_once(tmp_path: Path) -> None:
    config = installed(tmp_path)
    for path in (
        tmp_path / "restante.key",
        tmp_path / "tls" / "cert.pem",
        tmp_path / "tls" / "key.pem",
    ):
        path.unlink()
    (tmp_path / "data").rmdir()
    lines = failures(config).splitlines()
    assert [line.split(": ")[1].split(" = ")[0] for line in lines] == [
        "tls.certificate",
        "tls.key",
        "key_file",
        "store",
    ]
    assert all("; " in line for line in lines)


def test_a_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    config = installed(tmp_path)
    other = trustme.CA().issue_cert("mx2.example.net")
    other.private_key_pem.write_to_path(str(tmp_path / "tls" / "key.pem"))
    assert f"is not the key of {tmp_path}/tls/cert.pem" in failures(config)


def test_the_second_pair_is_looked_at_like_the_first(tmp_path: Path) -> None:
    config = installed(tmp_path)
    shutil.copyfile(tmp_path / "tls" / "key.pem", tmp_path / "tls" / "key-rsa.pem")
    assert f"is not the key of {tmp_path}/tls/cert-rsa.pem" in failures(config)
    (tmp_path / "tls" / "cert-rsa.pem").unlink()
    assert f'tls.certificate = "{tmp_path}/tls/cert-rsa.pem": cannot be read' in failures(config)


@pytest.mark.parametrize("kind", [trustme.KeyType.ECDSA, trustme.KeyType.RSA])
def test_two_certificates_of_one_type_of_key_are_refused(
    tmp_path: Path, kind: trustme.KeyType
) -> None:
    config = installed(tmp_path)
    names = (
        ("cert.pem", "key.pem") if kind is trustme.KeyType.RSA else ("cert-rsa.pem", "key-rsa.pem")
    )
    issued = trustme.CA().issue_cert("mx2.example.net", key_type=kind)
    issued.cert_chain_pems[0].write_to_path(tmp_path / "tls" / names[0])
    issued.private_key_pem.write_to_path(tmp_path / "tls" / names[1])
    said = failures(config)
    assert f"has a key of the same type as {tmp_path}/tls/cert.pem, {kind.name}, " in said
    assert len(said.splitlines()) == 1


def test_a_key_with_a_passphrase_is_refused(tmp_path: Path) -> None:
    config = installed(tmp_path)
    file = tmp_path / "tls" / "key.pem"
    key = load_pem_private_key(file.read_bytes(), None)
    file.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    )
    assert "passphrase" in failures(config)


def test_an_rsa_key_that_signs_wrongly_is_refused(tmp_path: Path) -> None:
    config = installed(tmp_path)
    file = tmp_path / "tls" / "key-rsa.pem"
    key = load_pem_private_key(file.read_bytes(), None)
    assert isinstance(key, RSAPrivateKey)
    n = key.private_numbers()
    wrong = RSAPrivateNumbers(n.p, n.q, n.d + 2, n.dmp1 + 2, n.dmq1, n.iqmp, n.public_numbers)
    damaged = wrong.private_key(unsafe_skip_rsa_key_validation=True)
    file.write_bytes(damaged.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    assert f"{file}" in failures(config)
    assert "a defective RSA key" in failures(config)


def test_files_that_hold_something_else_are_refused(tmp_path: Path) -> None:
    config = installed(tmp_path)
    (tmp_path / "tls" / "cert.pem").write_text("nothing")
    (tmp_path / "tls" / "key.pem").write_text("nothing")
    assert "BEGIN CERTIFICATE" in failures(config)
    assert "BEGIN PRIVATE KEY" in failures(config)


@pytest.mark.parametrize("text", ["postmaster", "@example.org", "a b@example.org", "a@b c"])
def test_a_postmaster_that_is_no_mailbox_is_refused(tmp_path: Path, text: str) -> None:
    config = replaced(installed(tmp_path), "[log]", f'[reception]\npostmaster = "{text}"\n[log]')
    assert f'reception.postmaster = "{text}": is not a mailbox' in failures(config)


def test_traces_without_their_libraries_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    otlp = '[telemetry]\notlp = "http://127.0.0.1:4318"\n[log]'
    config = replaced(installed(tmp_path), "[log]", otlp)
    check_config(load(config, {}), NOW)
    monkeypatch.setattr(config_check, "is_installed", lambda: False)
    assert "needs libraries that are not installed" in failures(config)
    assert "pip install 'restante[otel]'" in failures(config)


def test_a_user_that_is_not_there_is_refused(tmp_path: Path) -> None:
    config = replaced(installed(tmp_path), '# user = "restante"', 'user = "nobody-of-that-name"')
    assert "useradd --system nobody-of-that-name" in failures(config)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
def test_a_store_with_a_file_of_another_user_is_refused(tmp_path: Path) -> None:
    config = replaced(installed(tmp_path), '# user = "restante"', 'user = "nobody"')
    nobody = pwd.getpwnam("nobody")
    os.chown(tmp_path / "data", nobody.pw_uid, nobody.pw_gid)
    (tmp_path / "data" / "restante.db").touch()
    assert "chown -R nobody" in failures(config)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
def test_a_store_that_the_user_cannot_write_to_is_refused(tmp_path: Path) -> None:
    config = replaced(installed(tmp_path), '# user = "restante"', 'user = "nobody"')
    assert "chown -R nobody" in failures(config)


def test_a_socket_with_too_long_a_path_is_refused(tmp_path: Path) -> None:
    name = "s" * 120
    config = replaced(
        installed(tmp_path),
        'key_file = "restante.key"',
        f'key_file = "restante.key"\ncontrol_socket = "{name}"',
    )
    assert "shorter" in failures(config)


@pytest.mark.parametrize("address", ["localhost:9325", "127.0.0.1", "9325"])
def test_an_address_for_metrics_must_be_one(tmp_path: Path, address: str) -> None:
    config = replaced(installed(tmp_path), "[log]", f'[telemetry]\nmetrics = "{address}"\n[log]')
    assert f'telemetry.metrics = "{address}"' in failures(config)


def logging_to(tmp_path: Path, *settings: str) -> Path:
    return replaced(installed(tmp_path), "[log]", "\n".join(["[log]", *settings]))


@pytest.mark.parametrize("text", ["192.0.2.1", "[192.0.2.1]", "2001:db8::1", "[IPv6:2001:db8::1]"])
def test_an_address_is_no_host_name(tmp_path: Path, text: str) -> None:
    config = replaced(installed(tmp_path), '"mx2.example.net"', f'"{text}"')
    with pytest.raises(ConfigError, match=r'hostname = ".+": is not a domain name; write '):
        load(config, {})


@pytest.mark.parametrize(
    ("address", "more", "is_refused"),
    [
        ("127.0.0.1:8025", "", False),
        ("127.9.9.9:8025", "", False),
        ("[::1]:8025", "", False),
        ("[::ffff:127.0.0.1]:8025", "", False),
        ("0.0.0.0:8025", "", True),
        ("[::]:8025", "", True),
        ("10.0.0.1:8025", "", True),
        ("0.0.0.0:8025", "\ntls = true", False),
    ],
)
def test_a_web_listener_without_tls_is_on_loopback(
    address: str, more: str, is_refused: bool, tmp_path: Path
) -> None:
    """Otherwise tokens would cross a network in clear text."""
    path = replaced(installed(tmp_path), '"127.0.0.1:8025"', f'"{address}"{more}')
    config = load(path, {})
    if not is_refused:
        check_config(config, NOW)
        return
    with pytest.raises(ConfigError) as refused:
        check_config(config, NOW)
    (problem,) = refused.value.problems
    assert problem.key == "listen[2].address"
    assert "without TLS must be on loopback" in str(problem)
    assert "set tls = true in this [[listen]]" in str(problem)
    path.write_text(path.read_text() + '\n[web]\ntrusted_proxies = ["10.0.0.5"]\n')
    check_config(load(path, {}), NOW)


def test_tls_is_no_setting_of_smtp(tmp_path: Path) -> None:
    path = replaced(installed(tmp_path), '"127.0.0.1:4465"', '"127.0.0.1:4465"\ntls = true')
    with pytest.raises(ConfigError, match="tls is not a setting of smtps"):
        load(path, {})


def test_only_odmr_listeners_ask_for_client_certificates(tmp_path: Path) -> None:
    setting = "\nclient_certificates = false"
    path = replaced(installed(tmp_path), '"127.0.0.1:4465"', f'"127.0.0.1:4465"{setting}')
    with pytest.raises(ConfigError, match="client_certificates is no setting of smtps"):
        load(path, {})
    config = load(installed(tmp_path), {})
    asking = [one.service for one in config.listen if one.asks_for_certificates]
    assert asking == ["odmr"]
    told = config.listen[2].model_copy(update={"client_certificates": False})
    assert not told.asks_for_certificates


def with_provider(tmp_path: Path, *more: str) -> Path:
    config = installed(tmp_path)
    lines = (
        "[oidc]",
        'issuer = "https://id.example"',
        'client_id = "restante"',
        'client_secret_file = "oidc.secret"',
        *more,
        "[[oidc.roles]]",
        'group = "mail-admins"',
        'role = "operator"',
    )
    config.write_text(config.read_text() + "\n".join(lines) + "\n")
    (tmp_path / "oidc.secret").write_text("secret")
    (tmp_path / "oidc.secret").chmod(0o640)
    return config


def test_the_secret_of_a_provider_can_be_read_by_us_alone(tmp_path: Path) -> None:
    config, secret = with_provider(tmp_path), tmp_path / "oidc.secret"
    assert warnings(config) == []
    secret.chmod(0o644)
    assert f"chmod 640 {secret}" in failures(config)
    secret.write_text("")
    assert "is empty" in failures(config)
    secret.unlink()
    assert "cannot be read: No such file" in failures(config)


def test_the_authorities_of_a_provider_are_read(tmp_path: Path) -> None:
    config = with_provider(tmp_path, 'ca_file = "ca.pem"')
    assert "has no CA certificates that can be read: No such file" in failures(config)
    (tmp_path / "ca.pem").write_text("no certificate")
    assert "has no CA certificates that can be read" in failures(config)
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
    assert warnings(config) == []


def on_database(tmp_path: Path, *more: str) -> Path:
    """Return the configuration of a server whose store is in a database."""
    database = ('store = "postgresql://restante@db/mail"', f'state_dir = "{tmp_path}/state"')
    return replaced(installed(tmp_path), 'store = "sqlite:data"', "\n".join((*database, *more)))


def test_a_server_with_a_database_needs_a_directory_of_its_own(tmp_path: Path) -> None:
    config = on_database(tmp_path)
    assert f'state_dir = "{tmp_path}/state": its directory is not there; make it' in failures(
        config
    )
    (tmp_path / "state").mkdir()
    assert warnings(config) == []


def test_a_database_needs_its_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = on_database(tmp_path)
    (tmp_path / "state").mkdir()
    monkeypatch.setattr(config_check, "database_driver_is_installed", lambda: False)
    assert "install it: pip install 'restante[postgres]'" in failures(config)


def with_objects(tmp_path: Path, *more: str) -> Path:
    """Return the configuration of a server with an object store."""
    (tmp_path / "state").mkdir()
    lines = ("[objects]", 'url = "s3://mail/held"', *more)
    config = on_database(tmp_path)
    config.write_text(config.read_text() + "\n" + "\n".join(lines) + "\n")
    return config


def test_an_object_store_needs_its_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = with_objects(tmp_path)
    assert warnings(config) == []
    monkeypatch.setattr(config_check, "object_driver_is_installed", lambda: False)
    assert "install it: pip install 'restante[objects]'" in failures(config)


def test_the_files_of_an_object_store_are_examined(tmp_path: Path) -> None:
    config = with_objects(
        tmp_path,
        'access_key_id = "AKIA"',
        'secret_key_file = "objects.secret"',
        'ca_file = "objects.pem"',
    )
    secret, authority = tmp_path / "objects.secret", tmp_path / "objects.pem"
    found = failures(config)
    assert "objects.secret_key_file" in found
    assert "objects.ca_file" in found
    secret.write_text("secret")
    secret.chmod(0o644)
    authority.write_text("no certificate")
    found = failures(config)
    assert f"chmod 640 {secret}" in found
    assert "sign the object store's certificate" in found
    secret.chmod(0o600)
    trustme.CA().cert_pem.write_to_path(authority)
    assert warnings(config) == []


def test_the_password_of_a_database_can_be_read_by_us_alone(tmp_path: Path) -> None:
    config = on_database(tmp_path, 'store_password_file = "secret"')
    (tmp_path / "state").mkdir()
    secret = tmp_path / "secret"
    assert "store_password_file" in failures(config)
    secret.write_text("hunter2")
    secret.chmod(0o644)
    assert f"chmod 640 {secret}" in failures(config)
    secret.chmod(0o600)
    assert warnings(config) == []


@pytest.mark.parametrize(
    ("metrics", "cause"),
    [
        ("127.0.0.1:2523", "meet the listener 127.0.0.1:2525"),
        ("127.0.0.1:65534", "end beyond port 65535"),
    ],
)
def test_workers_need_a_port_each_for_their_metrics(
    tmp_path: Path, metrics: str, cause: str
) -> None:
    config = on_database(tmp_path, "workers = 3")
    (tmp_path / "state").mkdir()
    replaced(config, "[log]", f'[telemetry]\nmetrics = "{metrics}"\n[log]')
    assert cause in failures(config)
    replaced(config, metrics, "127.0.0.1:9325")
    assert warnings(config) == []


def test_the_socket_of_each_worker_needs_a_short_path(tmp_path: Path) -> None:
    config = on_database(tmp_path, "workers = 2")
    room = config_check.SOCKET_PATH_LIMIT - len(f"{tmp_path}//control.sock")
    (tmp_path / ("s" * room)).mkdir()
    replaced(config, f"{tmp_path}/state", f"{tmp_path}/{'s' * room}")
    assert "/2/control.sock is longer than" in failures(config)
    replaced(config, "workers = 2", "workers = 1")
    assert warnings(config) == []


def test_a_certificate_by_name_is_checked_like_the_default_one(tmp_path: Path) -> None:
    config, authority = installed(tmp_path), trustme.CA()
    file = with_named(config, authority.issue_cert("mx.customer.example"))
    assert warnings(config) == []
    authority.issue_cert("x.example").private_key_pem.write_to_path(
        tmp_path / "tls/customer-key.pem"
    )
    assert f'tls.names[0].key = "{tmp_path}/tls/customer-key.pem": is not the key of {file}' in (
        failures(config)
    )
    file.unlink()
    assert f'tls.names[0].certificate = "{file}": cannot be read' in failures(config)


def test_two_certificates_for_one_name_are_refused(tmp_path: Path) -> None:
    config, authority = installed(tmp_path), trustme.CA()
    first = with_named(config, authority.issue_cert("mx.customer.example", "mx.a.example"), "one")
    second = with_named(config, authority.issue_cert("mx.b.example", "MX.customer.example"), "two")
    said = failures(config)
    assert (
        f'tls.names[1].certificate = "{second}": is for mx.customer.example, and so is {first}'
        in said
    )
    assert len(said.splitlines()) == 1


def test_a_name_of_the_default_certificate_can_have_one_of_its_own(tmp_path: Path) -> None:
    config = installed(tmp_path)
    with_named(config, trustme.CA().issue_cert("mx2.example.net"))
    assert warnings(config) == []


def test_a_certificate_for_no_host_cannot_be_asked_for(tmp_path: Path) -> None:
    config = installed(tmp_path)
    file = with_named(config, trustme.CA().issue_cert("192.0.2.1"))
    assert f'tls.names[0].certificate = "{file}": is for no host' in failures(config)


def test_certificates_of_one_table_are_for_the_same_hosts(tmp_path: Path) -> None:
    config, authority = installed(tmp_path), trustme.CA()
    first = with_named(config, authority.issue_cert("mx.a.example"), "one")
    other = authority.issue_cert("mx.b.example", key_type=trustme.KeyType.RSA)
    second = with_named(config, other, "two")
    text = config.read_text().partition("[[tls.names]]")[0]
    names = ('["tls/one.pem", "tls/two.pem"]', '["tls/one-key.pem", "tls/two-key.pem"]')
    config.write_text(f"{text}[[tls.names]]\ncertificate = {names[0]}\nkey = {names[1]}\n")
    assert f'"{second}": is for other hosts than {first}' in failures(config)


def test_names_by_acme_need_a_listener_that_answers(tmp_path: Path) -> None:
    assert "acme.names: need a listener that answers" in failures(
        with_text(installed(tmp_path), ACME)
    )


def test_acme_with_its_listener_is_in_order(tmp_path: Path) -> None:
    config = with_text(installed(tmp_path), ACME + ACME_LISTENER.format(port=80))
    assert warnings(config) == []


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ('url = "127.0.0.1:11333"', 'hygiene.rspamd.url = "127.0.0.1:11333": is not a URL'),
        ("timeout = 60", "hygiene.rspamd.timeout"),
        ('password_file = "no.password"', "no.password"),
        ('ca_file = "no.pem"', "has no CA certificates that can be read"),
    ],
)
def test_a_fault_in_the_place_of_a_filter_is_told(tmp_path: Path, line: str, cause: str) -> None:
    config = with_text(installed(tmp_path), f"[hygiene.rspamd]\n{line}\n")
    assert cause in failures(config)


def test_a_name_has_one_certificate(tmp_path: Path) -> None:
    config = with_text(installed(tmp_path), ACME + ACME_LISTENER.format(port=80))
    with_named(config, trustme.CA().issue_cert("mx.customer.example"))
    assert "is for mx.customer.example, which is among the names of [acme] too" in failures(config)


def test_acme_on_a_shared_store_is_refused(tmp_path: Path) -> None:
    config = with_text(installed(tmp_path), ACME + ACME_LISTENER.format(port=80))
    replaced(config, 'store = "sqlite:data"', 'store = "postgresql://r@db.example/r"')
    with pytest.raises(ConfigError, match="acme: is for a store on SQLite only"):
        load(config, {})
