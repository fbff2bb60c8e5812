"""The fields of a domain: authorized hosts, pins, authority and login, and their contradictions."""

from pathlib import Path
from typing import Any

import pytest
import trustme
from pydantic import SecretStr, ValidationError

from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.domain_change import DomainChange, read_pin
from restante.admin.domains import (
    change_domain,
    show_domain,
)
from restante.tenancy.model import TlsUse
from restante.tenancy.sealed_secrets import destination_owner
from tests.admin.admin_world import AdminWorld, run

PIN = "ab" * 32


def change(admin: AdminWorld, **fields: Any) -> Any:
    return change_domain(admin.context, "alpha.example", DomainChange(**fields))


def test_allow_replaces_and_single_hosts_are_added_and_dropped() -> None:
    async def story(admin: AdminWorld) -> None:
        await admin.host("alpha.example", "alpha", allow=("192.0.2.1", "198.51.100.0/24"))
        added = await change(admin, add_allow=("Mail.alpha.example",), drop_allow=("192.0.2.1/32",))
        assert added.domain.allow == ["198.51.100.0/24", "mail.alpha.example"]
        replaced = await change(admin, allow=("203.0.113.5",))
        assert replaced.domain.allow == ["203.0.113.5"]
        with pytest.raises(AdminError) as caught:
            await change(admin, drop_allow=("192.0.2.77",))
        assert caught.value.kind is ErrorKind.NOT_FOUND

    run(story(AdminWorld()))


@pytest.mark.parametrize("text", ["10.0.0.1/8", "a b", "", "300.1.1.1"])
def test_an_invalid_authorized_host_is_refused(text: str) -> None:
    with pytest.raises(AdminError, match="authorized host"):
        run(AdminWorld().host("alpha.example", "alpha", allow=(text,)))


def test_the_password_for_the_destination_is_sealed_and_never_shown() -> None:
    async def story(admin: AdminWorld) -> None:
        secret = {"destination_login": "us", "destination_password": SecretStr("a secret")}
        await admin.host("alpha.example", "alpha", tls=TlsUse.REQUIRED, **secret)
        view = await show_domain(admin.context, "alpha.example")
        assert view.destination_login == "us"
        assert "secret" not in view.model_dump_json()
        login = admin.context.directory.now.domains["alpha.example"].destination.login
        assert login
        assert (
            admin.context.vault.open(login.sealed_password, destination_owner("alpha.example"))
            == "a secret"
        )
        assert (await change(admin, destination_login="")).domain.destination_login is None

    run(story(AdminWorld()))


@pytest.mark.parametrize(
    "fields",
    [
        {"destination_login": "us"},
        {"destination_password": SecretStr("a secret")},
        {
            "destination_login": "us",
            "destination_password": SecretStr("a secret"),
        },  # TLS is opportunistic
        {"tls_pins": (PIN,)},
        {"tls": TlsUse.REQUIRED, "tls_pins": (PIN,)},
    ],
)
def test_contradictory_values_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(AdminError) as caught:
        run(AdminWorld().host("alpha.example", "alpha", **fields))
    assert caught.value.kind is ErrorKind.USAGE


def test_a_pin_is_kept_as_hex() -> None:
    assert read_pin(PIN.upper()) == PIN
    assert read_pin(":".join(["AB"] * 32)) == PIN
    assert read_pin("sha256//q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s=") == PIN
    with pytest.raises(AdminError, match="openssl"):
        read_pin("abcd")


def test_an_authority_is_a_file_that_can_be_used_now(tmp_path: Path) -> None:
    good, bad = tmp_path / "ca.pem", tmp_path / "bad.pem"
    trustme.CA().cert_pem.write_to_path(str(good))
    bad.write_text("no certificate")

    async def story(admin: AdminWorld) -> None:
        await admin.host("alpha.example", "alpha", tls=TlsUse.VERIFY, tls_ca=str(good))
        assert (await show_domain(admin.context, "alpha.example")).tls_ca == str(good)
        for wrong in (str(bad), str(tmp_path / "none.pem"), "ca.pem"):
            with pytest.raises(AdminError, match="authority"):
                await change(admin, tls_ca=wrong)

    run(story(AdminWorld()))


def test_the_number_of_connections_has_bounds() -> None:
    with pytest.raises(ValidationError):
        DomainChange(connections=0)


def test_the_same_password_for_the_destination_again_changes_nothing() -> None:
    async def story(admin: AdminWorld) -> None:
        login = {"destination_login": "us", "destination_password": SecretStr("a secret")}
        await admin.host("alpha.example", "alpha", tls=TlsUse.REQUIRED, **login)
        assert (await change(admin, **login)).changes == []
        login["destination_password"] = SecretStr("another")
        [changed] = (await change(admin, **login)).changes
        assert changed.field == "destination.login.sealed_password"

    run(story(AdminWorld()))


def test_a_host_that_is_not_authorized_is_answered_by_the_most_alike() -> None:
    async def story(admin: AdminWorld) -> None:
        await admin.host("alpha.example", "alpha", allow=("mail.alpha.example",))
        with pytest.raises(AdminError) as caught:
            await change(admin, drop_allow=("mali.alpha.example",))
        assert caught.value.remedy.startswith("did you mean mail.alpha.example? ")

    run(story(AdminWorld()))
