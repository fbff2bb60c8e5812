"""The server's certificates as TLS contexts, one for each kind of listener."""

from pathlib import Path

import pytest
import trustme

from restante.acme.certificate_files import CertificateFilesOf
from restante.config.listen_settings import Listen
from restante.config.load import load
from restante.config.schema import Config
from restante.config.server_certificates import IdentityUnusable, read_identity
from restante.config.tls_settings import TlsSettings
from restante.network.tls_context import oldest_version
from tests.acceptance.certificates import key_pin
from tests.config.files import NOW, installed, replaced, with_named


def test_each_kind_of_listener_has_its_context(tmp_path: Path) -> None:
    old = '\ntls_minimum = "1.0"\n'
    config = load(replaced(installed(tmp_path), '"127.0.0.1:4465"', f'"127.0.0.1:4465"{old}'), {})
    identity = read_identity(config)
    mx, smtps = (identity.context(listen, config.tls) for listen in config.listen[:2])
    assert (oldest_version(mx), oldest_version(smtps)) == ("1.2", "1.0")
    assert set(identity.contexts) == {
        ("mx", "1.2", False),
        ("smtps", "1.0", False),
        ("odmr", "1.2", True),
    }


def test_listeners_of_one_kind_share_a_context(tmp_path: Path) -> None:
    config = load(replaced(installed(tmp_path), '"smtps"', '"mx"'), {})
    assert set(read_identity(config).contexts) == {("mx", "1.2", False), ("odmr", "1.2", True)}


def test_only_a_listener_without_clear_text_has_no_cbc_suites(tmp_path: Path) -> None:
    secure = '"127.0.0.1:8025"\ntls = true\n'
    config = load(replaced(installed(tmp_path), '"127.0.0.1:8025"', secure), {})
    identity = read_identity(config)
    has_cbc = [
        any(not one["aead"] for one in identity.context(listen, config.tls).get_ciphers())
        for listen in config.listen
    ]
    assert has_cbc == [True, False, False, False]  # only mx goes on in clear text


def test_it_tells_names_and_the_first_end_of_all_certificates(tmp_path: Path) -> None:
    identity = read_identity(load(installed(tmp_path), {}))
    assert "mx2.example.net" in identity.names
    assert 0 < identity.expires_at - NOW <= 397 * 86400


@pytest.mark.parametrize("spoil", [Path.unlink, lambda file: file.write_text("no PEM")])
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, spoil: object) -> None:
    config = load(installed(tmp_path), {})
    assert callable(spoil)
    spoil(tmp_path / "tls" / "cert.pem")
    with pytest.raises(IdentityUnusable, match=r"cert\.pem.*: cannot be used: .*config check"):
        read_identity(config)


def test_a_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    config = load(installed(tmp_path), {})
    tls = tmp_path / "tls"
    (tls / "key.pem").write_bytes((tls / "key-rsa.pem").read_bytes())
    with pytest.raises(IdentityUnusable, match="cannot be used"):
        read_identity(config)


def test_a_listener_of_a_kind_that_was_not_read_has_no_context(tmp_path: Path) -> None:
    config = load(installed(tmp_path), {})
    later = Listen(service="mx", address="127.0.0.1:0", tls_minimum="1.3")
    assert isinstance(config.tls, TlsSettings)
    with pytest.raises(KeyError):
        read_identity(config).context(later, config.tls)


def test_each_kind_of_listener_has_a_context_for_each_name(tmp_path: Path) -> None:
    """With its own versions of TLS: the legacy profile of one listener weakens no other."""
    old = '\ntls_minimum = "1.0"\n'
    file = replaced(installed(tmp_path), '"127.0.0.1:4465"', f'"127.0.0.1:4465"{old}')
    with_named(file, trustme.CA().issue_cert("mx.customer.example", "mx.other.example"))
    config = load(file, {})
    identity = read_identity(config)
    mx, smtps = (identity.all_contexts(listen, config.tls) for listen in config.listen[:2])
    assert [oldest_version(one) for one in mx] == ["1.2", "1.2"]
    assert [oldest_version(one) for one in smtps] == ["1.0", "1.0"]
    assert {one.security_level for one in smtps} == {0}
    assert 0 not in {one.security_level for one in mx}
    assert identity.context(config.listen[0], config.tls) is mx[0]
    assert mx[0].sni_callback is not None


def test_the_certificates_are_known_by_their_hosts_ends_and_keys(tmp_path: Path) -> None:
    file = installed(tmp_path)
    named = with_named(file, trustme.CA().issue_cert("mx.customer.example"))
    identity = read_identity(load(file, {}))
    default, customer = identity.served
    assert (len(default.keys), customer.keys) == (2, (key_pin(named),))
    assert customer.hosts == ("mx.customer.example",)
    assert identity.names == set(default.hosts)
    assert identity.expires_at == min(default.expires_at, customer.expires_at)
    assert named in identity.files


def test_a_file_by_name_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    file = installed(tmp_path)
    with_named(file, trustme.CA().issue_cert("mx.customer.example"))
    (tmp_path / "tls" / "customer-key.pem").unlink()
    with pytest.raises(IdentityUnusable, match=r"customer\.pem: cannot be used: .*config check"):
        read_identity(load(file, {}))


def with_acme(file: Path, *names: str) -> Config:
    listed = ", ".join(f'"{name}"' for name in names)
    file.write_text(
        f'{file.read_text()}\n[acme]\ndirectory = "https://ca.example/dir"\nnames = [{listed}]\n'
    )
    return load(file, {})


def issue_by_acme(config: Config, name: str) -> str:
    """Put a certificate where ACME has it, and return its pin."""
    config.acme_directory.mkdir(exist_ok=True)
    files = CertificateFilesOf(config.acme_directory, name)
    issued = trustme.CA().issue_cert(name, key_type=trustme.KeyType.ECDSA)
    issued.cert_chain_pems[0].write_to_path(files.certificate)
    issued.private_key_pem.write_to_path(files.key)
    return key_pin(files.certificate)


def test_certificates_by_acme_are_shown_once_they_are_issued(tmp_path: Path) -> None:
    config = with_acme(installed(tmp_path), "mx2.example.net", "mx.customer.example")
    [default] = read_identity(config).served
    pin = issue_by_acme(config, "mx.customer.example")
    before, customer = read_identity(config).served
    assert before == default
    assert (customer.hosts, customer.keys) == (("mx.customer.example",), (pin,))


def test_the_one_of_the_host_name_replaces_the_default_of_its_type(tmp_path: Path) -> None:
    config = with_acme(installed(tmp_path), "mx2.example.net")
    [before] = read_identity(config).served
    pin = issue_by_acme(config, "mx2.example.net")
    [default] = read_identity(config).served
    assert default.keys == (pin, before.keys[1])  # that of RSA stays


@pytest.mark.parametrize("spoiled", ["mx.customer.example.pem", "mx.customer.example.key.pem"])
def test_a_broken_one_by_acme_stops_no_start(tmp_path: Path, spoiled: str) -> None:
    config = with_acme(installed(tmp_path), "mx.customer.example")
    issue_by_acme(config, "mx.customer.example")
    (config.acme_directory / spoiled).write_text("broken")
    assert len(read_identity(config).served) == 1
