"""The settings: values that are refused, and values that are made of them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from restante.config.schema import Config, ResolverSettings, TelemetrySettings
from restante.store.database_access import DatabaseAccess, RecoveryPoint
from restante.store.object_access import ObjectAccess

MINIMUM: dict[str, Any] = {
    "hostname": "mx2.example",
    "listen": [{"service": "mx", "address": "127.0.0.1:25"}],
    "tls": {"certificate": "c.pem", "key": "k.pem"},
}


DATABASE = "postgresql://restante@db/mail"


def config(**settings: Any) -> Config:
    """Return a configuration of a file in /etc/r."""
    context = {"directory": Path("/etc/r")}
    return Config.model_validate(MINIMUM | settings, context=context)


def refused(**settings: Any) -> str:
    """Return causes and remedies of all problems. A setting may depend on one that is wrong."""
    with pytest.raises(ValidationError) as caught:
        config(**settings)
    return "\n".join(
        f"{one['msg']}; {one.get('ctx', {}).get('remedy', '')}" for one in caught.value.errors()
    )


@pytest.mark.parametrize(
    "file",
    ["restante.key", "/etc/r/k.pem", "c.pem", "data/restante.db", "data/lock", "data/content/0/1"],
)
def test_the_log_never_spoils_a_file_that_the_server_needs(file: str) -> None:
    said = refused(store="sqlite:data", log={"to": "file", "file": file})
    assert "file is one that the server needs, or is in the store; name another one" in said


@pytest.mark.parametrize("make", [Path.symlink_to, Path.hardlink_to])
def test_another_name_of_such_a_file_is_one_too(
    tmp_path: Path, make: Callable[[Path, Path], None]
) -> None:
    store, key, log = tmp_path / "data", tmp_path / "k.pem", tmp_path / "a.log"
    store.mkdir()
    for needed in (store / "restante.db", store / "lock", key):
        needed.touch()
        make(log, needed)
        tls = MINIMUM["tls"] | {"key": str(key)}
        assert "needs" in refused(store=f"sqlite:{store}", tls=tls, log=to_file(log))
        log.unlink()
    log.symlink_to(store / "restante.db-wal")  # not there yet
    assert "needs" in refused(store=f"sqlite:{store}", log=to_file(log))


def to_file(file: Path) -> dict[str, str]:
    return {"to": "file", "file": str(file)}


def test_the_log_may_be_beside_the_store_and_below_it() -> None:
    for file in ("restante.log", "data/log/restante.log"):
        made = config(store="sqlite:data", log={"to": "file", "file": file})
        assert made.log.file == Path("/etc/r") / file
    log = {"to": "file", "file": "database.password"}
    assert "needs" in refused(store=DATABASE, store_password_file="database.password", log=log)


def test_paths_start_at_the_file() -> None:
    made = config(store="sqlite:data", key_file="/keys/k")
    assert made.tls.pairs == ((Path("/etc/r/c.pem"), Path("/etc/r/k.pem")),)
    assert made.store_directory == Path("/etc/r/data")
    assert made.control_socket == Path("/etc/r/data/control.sock")
    assert made.key_file == Path("/keys/k")


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"hostname": "no name"}, "is not a domain name; write this server's full name"),
        ({"hostname": "192.0.2.1"}, "is not a domain name"),
        ({"store": "memory:"}, "would lose all mail when the server stops"),
        ({"state_dir": "x"}, "is a setting for a store on PostgreSQL only; remove it"),
        ({"store_password_file": "x"}, "is a setting for a store on PostgreSQL only"),
        (
            {"workers": 2},
            "needs a store on PostgreSQL: one process alone can have",
        ),
        ({"workers": 0}, "greater than or equal to 1"),
        ({"pooled": True}, "is a setting for a store on PostgreSQL only"),
        ({"rpo": "accept-loss"}, "is a setting for a store on PostgreSQL only"),
        ({"listen": []}, "at least 1 item"),
        ({"tls": {"certificate": [], "key": []}}, "at least 1 item"),
        ({"telemetry": {"metrics": "localhost:9325"}}, 'ADDRESS:PORT, such as "127.0.0.1:9325"'),
        ({"telemetry": {"otlp": "127.0.0.1:4318"}}, 'such as "http://127.0.0.1:4318"'),
        ({"telemetry": {"otlp": "http://:4318"}}, "is no URL of a collector"),
        ({"telemetry": {"otlp": "http://a:b/"}}, "is no URL of a collector"),
        ({"telemetry": {"otlp": "http://[::1"}}, "is no URL of a collector"),
        ({"resolver": {"nameservers": ["ns.example"]}}, "ADDRESS or ADDRESS:PORT"),
        (
            {"objects": {"url": "s3://mail"}},
            "is for a store on PostgreSQL only: one on SQLite keeps",
        ),
        ({"uvlop": True}, "Extra inputs are not permitted"),
    ],
)
def test_a_wrong_value_is_refused(settings: dict[str, Any], problem: str) -> None:
    assert problem in refused(**settings)


def test_an_object_store_is_beside_a_database() -> None:
    given = {
        "url": "s3://mail/held/",
        "endpoint": "https://s3.example:9000/",
        "access_key_id": "AKIA",
        "secret_key_file": "secret",
    }
    made = config(store=DATABASE, state_dir="state", objects=given)
    assert made.database_access.objects == ObjectAccess(
        "s3://mail/held",
        "https://s3.example:9000",
        "us-east-1",
        "AKIA",
        Path("/etc/r/secret"),
        None,
        Path("/etc/r/state"),
    )
    assert config(store=DATABASE).database_access.objects is None
    assert config(store=DATABASE, objects={"url": ""}).objects.url == ""


def test_a_database_leaves_the_socket_in_the_state_directory() -> None:
    made = config(store="postgres://restante@db/mail", state_dir="state")
    assert made.store == "postgresql://restante@db/mail"
    assert made.store_directory is None
    assert made.local_directory == Path("/etc/r/state")
    assert made.control_socket == Path("/etc/r/state/control.sock")
    assert config(store="postgres://db/mail").control_socket == Path(
        "/var/lib/restante/control.sock"
    )


def test_workers_share_a_database_and_have_directories_of_their_own() -> None:
    made = config(store="postgres://db/mail", state_dir="state", workers=3)
    assert (made.workers, made.control_socket) == (3, Path("/etc/r/state/control.sock"))
    assert made.worker_directory(3) == Path("/etc/r/state/3")


def test_a_database_is_opened_as_the_settings_say() -> None:
    given = {"store_password_file": "secret", "rpo": "accept-loss", "pooled": True}
    made = config(store="postgresql://db/mail", **given)
    assert made.database_access == DatabaseAccess(
        Path("/etc/r/secret"), RecoveryPoint.ACCEPT_LOSS, is_plain=True
    )
    assert config().database_access == DatabaseAccess(None, RecoveryPoint.ZERO)


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        ("127.0.0.1:25", "127.0.0.1:25", True),
        ("0.0.0.0:25", "127.0.0.1:25", True),
        ("[::1]:25", "[::]:25", True),
        ("[0:0::1]:25", "[::1]:25", True),
        ("[::ffff:127.0.0.1]:25", "127.0.0.1:25", True),
        ("0.0.0.0:25", "[::]:25", False),
        ("127.0.0.1:25", "127.0.0.1:26", False),
        ("127.0.0.1:0", "127.0.0.1:0", False),
    ],
)
def test_listeners_that_cannot_both_be_bound_are_refused(
    one: str, other: str, *, meet: bool
) -> None:
    listen = [{"service": "mx", "address": one}, {"service": "smtps", "address": other}]
    if meet:
        assert "two listeners overlap" in refused(listen=listen)
    else:
        assert len(config(listen=listen).listen) == 2


def test_addresses_have_one_spelling() -> None:
    resolver = ResolverSettings(nameservers=("192.0.2.53", "[2001:db8::53]:5353"))
    assert resolver.endpoints == (("192.0.2.53", 53), ("2001:db8::53", 5353))
    assert TelemetrySettings(metrics="127.0.0.1:9325").metrics_endpoint == ("127.0.0.1", 9325)
    assert TelemetrySettings().metrics_endpoint is None


def test_a_configuration_does_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        config().hostname = "other.example"
