"""Warnings of files and settings with which the server runs anyway."""

import os
import pwd
import re
import shutil
import socket
from contextlib import closing
from pathlib import Path

import pytest
import trustme
from cryptography import x509

from restante.config.config_warnings import config_warnings, standing_warnings
from restante.config.load import load
from restante.config.renewal import renew
from restante.reception.disk_space import free_octets, size_octets
from tests.config.files import ACME, ACME_LISTENER, NOW, installed, replaced, with_named, with_text

DAY = 86400


def warnings(config: Path, now: float = NOW) -> list[str]:
    return [
        line for line in config_warnings(load(config, {}), now) if "user is not set" not in line
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
def test_root_is_warned_of_files_that_the_user_cannot_read_again(tmp_path: Path) -> None:
    config = replaced(installed(tmp_path), '# user = "restante"', 'user = "nobody"')
    nobody = pwd.getpwnam("nobody")
    os.chown(tmp_path / "data", nobody.pw_uid, nobody.pw_gid)
    assert [line.split(": ")[0] for line in warnings(config)] == [
        str(tmp_path / "tls" / "key.pem"),
        str(tmp_path / "tls" / "key-rsa.pem"),
        str(tmp_path / "restante.key"),
    ]


def test_a_certificate_that_ends_is_warned_of(tmp_path: Path) -> None:
    config = installed(tmp_path)
    assert [
        f"tls/{name}: the certificate expires in" in line
        for name, line in zip(
            ("cert.pem", "cert-rsa.pem"), warnings(config, NOW + 390 * DAY), strict=True
        )
    ] == [True, True]
    assert "has expired (" in warnings(config, NOW + 410 * DAY)[0]


@pytest.mark.parametrize(
    ("address", "is_warned_of"),
    [
        ("127.0.0.1:9325", False),
        ("[::1]:9325", False),
        ("10.1.2.3:9325", False),
        ("[fd00::1]:9325", False),
        ("0.0.0.0:9325", True),
        ("[::]:9325", True),
        ("8.8.8.8:9325", True),
    ],
)
def test_metrics_that_strangers_may_read_are_warned_of(
    tmp_path: Path, address: str, is_warned_of: bool
) -> None:
    config = replaced(
        installed(tmp_path),
        '# [telemetry]\n# metrics = "127.0.0.1:9325"',
        f'[telemetry]\nmetrics = "{address}"',
    )
    said = warnings(config)
    assert bool(said) is is_warned_of
    assert all(
        re.match(rf"{config}:\d+: anybody may read the metrics at {re.escape(address)}; ", line)
        for line in said
    )


def logging_to(tmp_path: Path, *settings: str) -> Path:
    return replaced(installed(tmp_path), "[log]", "\n".join(["[log]", *settings]))


def test_a_file_of_the_log_in_a_missing_directory_is_warned_of(tmp_path: Path) -> None:
    config = logging_to(tmp_path, 'to = "file"', 'file = "log/restante.log"')
    [warning] = warnings(config)
    assert f'log.file = "{tmp_path}/log/restante.log": {tmp_path}/log is not there' in warning
    assert "make it: install -d -m 0750 -o " in warning
    (tmp_path / "log").mkdir()
    assert warnings(config) == []
    (tmp_path / "log" / "restante.log").mkdir()
    assert "is a directory; name a file in it" in warnings(config)[0]


def test_a_pipe_or_a_loop_of_links_is_no_file_for_the_log(tmp_path: Path) -> None:
    config = logging_to(tmp_path, 'to = "file"', 'file = "restante.log"')
    log = tmp_path / "restante.log"
    os.mkfifo(log)
    assert "is a pipe or a socket, which can lose lines; name a plain file" in warnings(config)[0]
    log.unlink()
    log.symlink_to("restante.log")
    assert "is a link that leads to no file; remove it" in warnings(config)[0]
    log.unlink()
    log.symlink_to("gone/restante.log")
    assert f"{tmp_path}/gone is not there" in warnings(config)[0]
    (tmp_path / "gone").mkdir()
    assert warnings(config) == []


def test_a_key_that_others_can_replace_is_warned_of(tmp_path: Path) -> None:
    config = installed(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    key = tmp_path / "restante.key"
    key.rename(elsewhere / "key")
    key.symlink_to(elsewhere / "key")
    assert warnings(config) == []  # a link alone is no fault: certbot and Kubernetes make some
    elsewhere.chmod(0o777)
    [warning] = warnings(config)
    cause = f"{key}, a link to {elsewhere}/key: other users can replace this key in {elsewhere}"
    assert warning == f"{cause}; chmod o-w {elsewhere}"
    elsewhere.chmod(0o1777)  # as /tmp is: only its owner can
    assert warnings(config) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
def test_a_file_of_the_log_that_the_user_cannot_write_to_is_warned_of(tmp_path: Path) -> None:
    config = logging_to(tmp_path, 'to = "file"', 'file = "log/restante.log"')
    replaced(config, '# user = "restante"', 'user = "nobody"')
    shutil.chown(tmp_path / "data", "nobody")
    log = tmp_path / "log"
    log.mkdir(mode=0o755)

    def told() -> str:
        return "\n".join(warning for warning in warnings(config) if "log.file" in warning)

    own = "install -d -m 0750 -o nobody /var/log/restante"  # never the directory of others
    assert f"nobody may not write there; name a file in a directory of its own: {own}" in told()
    shutil.chown(log, "nobody")
    assert told() == ""
    (log / "restante.log").touch(mode=0o600)
    assert "nobody may not write there" in told()
    shutil.chown(log / "restante.log", group="nogroup")
    (log / "restante.log").chmod(0o620)
    assert told() == ""


def test_a_socket_of_syslog_without_a_server_is_warned_of(tmp_path: Path) -> None:
    config = logging_to(tmp_path, 'to = "syslog"', 'syslog_socket = "log.sock"')
    [warning] = warnings(config)
    assert "no syslog server listens there; start one, or write" in warning
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as server:
        server.bind(str(tmp_path / "log.sock"))
        assert warnings(config) == []


def test_files_that_others_may_read_are_warned_of(tmp_path: Path) -> None:
    config = installed(tmp_path)
    (tmp_path / "tls" / "key.pem").chmod(0o644)
    (tmp_path / "tls" / "key-rsa.pem").chmod(0o644)
    (tmp_path / "data").chmod(0o755)
    assert [line.rpartition("; ")[2] for line in warnings(config)] == [
        f"chmod 640 {tmp_path}/tls/key.pem",
        f"chmod 640 {tmp_path}/tls/key-rsa.pem",
        f"chmod 700 {tmp_path}/data",
    ]


@pytest.mark.parametrize("name", ["localhost", "mx2.local", "mx_2.acme.com"])
def test_a_host_name_that_no_server_can_have_is_warned_of(tmp_path: Path, name: str) -> None:
    config = replaced(installed(tmp_path), '"mx2.example.net"', f'"{name}"')
    line = next(line for line in warnings(config) if "hostname = " in line)
    assert re.fullmatch(rf'{config}:\d+: hostname = "{name}": .+; write the name .+', line)


@pytest.mark.parametrize(
    ("names", "is_warned_of"),
    [
        (["mx2.example.net"], False),
        (["www.example.org", "MX2.Example.NET"], False),
        (["*.example.net"], False),
        (["example.net"], True),
        (["*.net"], True),
        (["mx1.example.net"], True),
        (["*.mx2.example.net"], True),
        (["192.0.2.1"], True),
    ],
)
def test_a_certificate_for_another_host_is_warned_of(
    tmp_path: Path, names: list[str], is_warned_of: bool
) -> None:
    config = installed(tmp_path)
    issued = trustme.CA().issue_cert(*names)
    issued.cert_chain_pems[0].write_to_path(tmp_path / "tls" / "cert.pem")
    issued.private_key_pem.write_to_path(tmp_path / "tls" / "key.pem")
    said = [line for line in warnings(config) if "expires" not in line]
    shown = "no host" if names == ["192.0.2.1"] else ", ".join(names)
    expected = (
        f"{tmp_path}/tls/cert.pem: the certificate is for {shown}, not for mx2.example.net, so"
        " clients that verify it refuse us; get one for mx2.example.net, or correct hostname"
    )
    assert said == ([expected] if is_warned_of else [])


def test_after_a_change_of_name_the_certificates_are_to_be_renewed(tmp_path: Path) -> None:
    config = replaced(installed(tmp_path), '"mx2.example.net"', '"mx9.example.net"')
    said = warnings(config)
    assert [line.partition(": ")[0] for line in said] == [
        f"{tmp_path}/tls/cert.pem",
        f"{tmp_path}/tls/cert-rsa.pem",
    ]
    assert all(line.endswith("; renew it: restante init --renew-certificate") for line in said)
    renew(load(config, {}), NOW)
    assert warnings(config) == []


def test_a_disk_that_is_smaller_than_the_reserve_is_warned_of(tmp_path: Path) -> None:
    size = size_octets(tmp_path)
    config = replaced(installed(tmp_path), "[log]", f"[reception]\ndisk_reserve = {size}\n[log]")
    mebibytes = size // 1024**2
    expected = (
        f"{tmp_path}/data: its disk has {mebibytes} MiB, no more than reception.disk_reserve"
        f" ({mebibytes} MiB), so mail is never accepted; use a larger disk, or lower the reserve"
    )
    assert warnings(config) == [expected]
    assert standing_warnings(load(config, {})) == (expected,)


def test_the_health_has_no_warning_of_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    file = replaced(installed(tmp_path), "mx2.example.net", "mx2.invalid")
    config = load(file, {})
    told = standing_warnings(config)
    assert "hostname" in told[0]
    assert "certificate is for mx2.example.net" in told[1]
    (tmp_path / "tls" / "cert.pem").unlink()
    assert standing_warnings(config) == told[:1]


def test_a_disk_with_less_free_than_the_reserve_is_warned_of(tmp_path: Path) -> None:
    between = (size_octets(tmp_path) + free_octets(tmp_path)) // 2
    config = replaced(installed(tmp_path), "[log]", f"[reception]\ndisk_reserve = {between}\n[log]")
    [line] = warnings(config)
    assert re.search(
        r"has \d+ MiB free, less than .+, so no mail is accepted; free some space, ", line
    )


@pytest.mark.parametrize(("setting", "warns"), [("off", True), ("odmr-only", False)])
def test_a_listener_for_a_command_that_is_offered_nowhere_is_warned_of(
    setting: str, *, warns: bool, tmp_path: Path
) -> None:
    path = replaced(installed(tmp_path), "[log]", f'[release]\nturnaround = "{setting}"\n\n[log]')
    told = [one for one in warnings(path) if "odmr has no use" in one]
    assert bool(told) is warns


def test_a_certificate_by_name_that_expires_is_told(tmp_path: Path) -> None:
    config = installed(tmp_path)
    file = with_named(config, trustme.CA().issue_cert("mx.customer.example"))
    ends = x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc.timestamp()
    told = [line for line in warnings(config, ends + DAY) if str(file) in line]
    assert len(told) == 1
    assert "has expired" in told[0]


def test_a_key_by_name_that_others_can_read_is_told(tmp_path: Path) -> None:
    config = installed(tmp_path)
    with_named(config, trustme.CA().issue_cert("mx.customer.example"))
    (tmp_path / "tls/customer-key.pem").chmod(0o644)
    assert any("customer-key.pem: other users can read" in line for line in warnings(config))


def test_an_acme_listener_at_another_port_is_told(tmp_path: Path) -> None:
    config = with_text(installed(tmp_path), ACME + ACME_LISTENER.format(port=8080))
    assert "authorities ask at port 80 only" in "".join(warnings(config))


def test_an_acme_listener_without_names_is_told(tmp_path: Path) -> None:
    config = with_text(installed(tmp_path), ACME_LISTENER.format(port=80))
    assert "acme has no use without names of [acme]" in "".join(warnings(config))


def test_a_replaced_certificate_is_no_longer_warned_of(tmp_path: Path) -> None:
    """The default ECDSA one has ended; that by ACME is shown in its place."""
    config = with_text(installed(tmp_path), ACME.replace("mx.customer.example", "mx2.example.net"))
    with_text(config, ACME_LISTENER.format(port=80))
    acme = tmp_path / "data/acme"
    acme.mkdir()
    issued = trustme.CA().issue_cert("mx2.example.net", key_type=trustme.KeyType.ECDSA)
    issued.cert_chain_pems[0].write_to_path(acme / "mx2.example.net.pem")
    key = acme / "mx2.example.net.key.pem"
    issued.private_key_pem.write_to_path(key)
    key.chmod(0o600)
    told = "".join(warnings(config, NOW + 400 * DAY))
    assert "cert-rsa.pem: the certificate has expired" in told
    assert "cert.pem: the certificate" not in told
