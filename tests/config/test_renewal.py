import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
import trustme
from cryptography import x509

from restante.config.certificate import public_key_of, read_certificate, read_certificates
from restante.config.config_check import check_tls
from restante.config.load import load
from restante.config.renewal import NotRenewable, RenewalFiles, renew
from tests.config.files import NOW, installed, replaced

DAY = 86400
PAIRS = ("cert.pem", "cert-rsa.pem")


def certificate(config: Path, name: str) -> x509.Certificate:
    return read_certificate((config.parent / "tls" / name).read_bytes())


def trusted(config: Path) -> list[x509.Certificate]:
    return read_certificates((config.parent / "tls" / "trust.pem").read_bytes())


def renewed(config: Path, now: float) -> RenewalFiles:
    return renew(load(config, {}), now)


def contents(config: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in config.parent.rglob("*") if path.is_file()}


def test_certificates_are_new_and_keys_stay(tmp_path: Path) -> None:
    config = installed(tmp_path)
    before, old = contents(config), [certificate(config, name) for name in PAIRS]
    told = renewed(config, NOW + 300 * DAY)
    changed = {path for path, content in contents(config).items() if content != before.get(path)}
    assert (
        changed
        == {*told.certificates, told.trust}
        == {tmp_path / "tls" / name for name in (*PAIRS, "trust.pem")}
    )
    new = [certificate(config, name) for name in PAIRS]
    assert list(map(public_key_of, new)) == list(map(public_key_of, old))
    assert {round(each.not_valid_after_utc.timestamp() - NOW, -4) for each in new} == {
        round(697 * DAY, -4)
    }
    assert told.ends == new[0].not_valid_after_utc.timestamp()


def test_the_file_to_trust_gets_the_new_ones_and_keeps_the_valid_ones(tmp_path: Path) -> None:
    config = installed(tmp_path)
    first = trusted(config)
    renewed(config, NOW + 300 * DAY)
    second = [certificate(config, name) for name in PAIRS]
    assert trusted(config) == [*second, *first]
    renewed(config, NOW + 500 * DAY)
    assert trusted(config) == [*(certificate(config, name) for name in PAIRS), *second]


def test_a_file_to_trust_that_is_gone_is_made_anew(tmp_path: Path) -> None:
    config = installed(tmp_path)
    first = trusted(config)
    (tmp_path / "tls" / "trust.pem").unlink()
    renewed(config, NOW + DAY)
    assert trusted(config)[2:] == first
    (tmp_path / "tls" / "trust.pem").write_text("nothing")
    with pytest.raises(NotRenewable, match="remove it"):
        renewed(config, NOW + DAY)


def test_certificates_get_the_name_in_the_configuration(tmp_path: Path) -> None:
    config = replaced(installed(tmp_path), "mx2.example.net", "mx9.example.org")
    renewed(config, NOW)
    for name in PAIRS:
        names = certificate(config, name).extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
        assert names.value.get_values_for_type(x509.DNSName) == ["mx9.example.org", "localhost"]


def test_one_of_an_authority_is_refused_and_nothing_changes(tmp_path: Path) -> None:
    config = installed(tmp_path)
    issued = trustme.CA().issue_cert("mx2.example.net", key_type=trustme.KeyType.RSA)
    issued.cert_chain_pems[0].write_to_path(tmp_path / "tls" / "cert-rsa.pem")
    issued.private_key_pem.write_to_path(tmp_path / "tls" / "key-rsa.pem")
    before = contents(config)
    with pytest.raises(NotRenewable, match=r"cert-rsa\.pem: was not made by `restante init`; "):
        renewed(config, NOW)
    assert contents(config) == before


def test_modes_and_links_stay(tmp_path: Path) -> None:
    config = installed(tmp_path)
    file, elsewhere = tmp_path / "tls" / "cert.pem", tmp_path / "elsewhere.pem"
    file.rename(elsewhere)
    elsewhere.chmod(0o640)
    file.symlink_to(elsewhere)
    before = elsewhere.read_bytes()
    renewed(config, NOW)
    assert file.is_symlink()
    assert elsewhere.read_bytes() != before
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o640


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_the_owner_stays(tmp_path: Path) -> None:
    config = installed(tmp_path)
    os.chown(tmp_path / "tls" / "cert.pem", 65534, 65534)
    renewed(config, NOW)
    facts = (tmp_path / "tls" / "cert.pem").stat()
    assert (facts.st_uid, facts.st_gid) == (65534, 65534)


@pytest.mark.parametrize("at", range(3))
def test_a_write_that_fails_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    config = installed(tmp_path)
    before, calls = contents(config), iter(range(3))

    def fail(_descriptor: int) -> None:
        if next(calls) == at:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        renewed(config, NOW)
    assert contents(config) == before


@pytest.mark.parametrize("at", range(3))
def test_half_way_every_certificate_fits_its_key_and_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    config = installed(tmp_path)
    keys = [public_key_of(certificate(config, name)) for name in PAIRS]
    replace, calls = Path.replace, iter(range(3))

    def die(path: Path, target: Path) -> Path:
        if next(calls) == at:
            raise KeyboardInterrupt
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", die)
    with pytest.raises(KeyboardInterrupt):
        renewed(config, NOW + DAY)
    monkeypatch.undo()
    found = [certificate(config, name) for name in PAIRS]
    assert list(map(public_key_of, found)) == keys
    assert all(each in trusted(config) for each in found)
    renewed(config, NOW + DAY)
    assert trusted(config)[:2] == [certificate(config, name) for name in PAIRS]
    assert not list((tmp_path / "tls").glob("*.new"))


def test_renewals_at_once_take_turns_and_each_leaves_its_certificates(tmp_path: Path) -> None:
    config = installed(tmp_path)
    first, start = trusted(config), Barrier(4)

    def renew_once(hours: int) -> RenewalFiles:
        start.wait()
        return renewed(config, NOW + hours * 3600)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(renew_once, range(4)))
    assert len(set(trusted(config))) == len(first) + 4 * len(PAIRS)
    assert {certificate(config, name) for name in PAIRS} <= set(trusted(config))

    check_tls(load(config, {}))
    assert not list(tmp_path.rglob("*.new"))
