import asyncio
import ipaddress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trustme

from restante.admin import destinations, permissions
from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.domain_change import DomainChange, NewDomain
from restante.admin.domains import (
    add_domain,
    change_domain,
    list_domains,
    remove_domain,
    show_domain,
)
from restante.delivery.shown_key import NoKey
from restante.store.figure_store import DomainUsage
from restante.tenancy.model import Destination, IpAddress, TlsUse
from restante.tenancy.principal import Principal, Role
from tests.actors import actor_named
from tests.admin.admin_world import NOW, AdminWorld, run

PIN = "ab" * 32


def change(admin: AdminWorld, **fields: Any) -> Any:
    return change_domain(admin.context, "alpha.example", DomainChange(**fields))


def test_a_domain_is_known_by_one_spelling() -> None:
    async def story(admin: AdminWorld) -> None:
        await admin.host("xn--bcher-kva.example", "alpha")
        assert (await show_domain(admin.context, "BÜCHER.example.")).name == "xn--bcher-kva.example"
        with pytest.raises(AdminError, match=r"destination\.host is ") as caught:
            await add_domain(
                admin.context,
                NewDomain(name="bücher.example", account="alpha", destination="other.example"),
            )
        assert caught.value.kind is ErrorKind.EXISTS

    run(story(AdminWorld()))


def test_set_changes_only_what_is_given() -> None:
    async def story(admin: AdminWorld) -> None:
        await admin.host("alpha.example", "alpha", tls=TlsUse.REQUIRED, connections=2)
        before = await show_domain(admin.context, "alpha.example")
        done = await change(admin, destination="192.0.2.9:2525")
        assert done.domain == before.model_copy(update={"destination": "192.0.2.9:2525"})

    run(story(AdminWorld()))


def test_the_operator_is_warned_of_a_list_that_lets_nobody_or_everybody_ask() -> None:
    async def story(admin: AdminWorld) -> None:
        await admin.host("alpha.example", "alpha")
        assert "no host is authorized" in (await change(admin, allow=())).warnings[0]
        assert "any host" in (await change(admin, allow=("0.0.0.0/0",))).warnings[0]

    run(story(AdminWorld()))


def test_a_drain_is_ended_by_a_suspension_and_a_removal_and_not_by_another_change() -> None:
    async def story(admin: AdminWorld) -> None:
        number = await admin.host("alpha.example", "alpha")
        assert admin.server
        await change(admin, connections=3)
        assert admin.server.stopped == []
        await change(admin, hold="suspended", reason="not paid")
        await remove_domain(admin.context, "alpha.example", "moved away")
        assert admin.server.stopped == [
            (number, "the domain was suspended"),
            (number, "the domain is no longer hosted"),
        ]

    run(story(AdminWorld()))


def test_a_domain_that_holds_mail_stays() -> None:
    async def story(admin: AdminWorld) -> None:
        number = await admin.host("alpha.example", "alpha")
        await admin.hold(1, number, "x@alpha.example")
        with pytest.raises(AdminError, match="holds 1 message; release or delete them first"):
            await remove_domain(admin.context, "alpha.example", "moved away")

    run(story(AdminWorld()))


def test_domains_are_listed_by_account() -> None:
    async def story(admin: AdminWorld) -> None:
        await admin.host("beta.example", "beta")
        await admin.host("alpha.example", "alpha")
        assert [view.name for view in await list_domains(admin.context)] == [
            "alpha.example",
            "beta.example",
        ]
        assert [view.name for view in await list_domains(admin.context, "beta")] == ["beta.example"]
        with pytest.raises(AdminError):
            await list_domains(admin.context, "gamma")

    run(story(AdminWorld()))


@pytest.mark.parametrize("tls", [None, TlsUse.OPPORTUNISTIC, TlsUse.REQUIRED, TlsUse.OFF])
def test_a_destination_that_dns_alone_tells_is_warned_of(tls: TlsUse | None) -> None:
    async def story(admin: AdminWorld) -> None:
        await admin.host("other.example", "alpha")  # makes the account
        fields: dict[str, Any] = {"account": "alpha", "allow": ("192.0.2.1",), "tls": tls}
        named = NewDomain(name="a.example", destination="mail.alpha.example", **fields)
        [warning] = (await add_domain(admin.context, named)).warnings
        assert "--tls verify" in warning
        assert "--pin-now" in warning
        literal = NewDomain(name="b.example", destination="192.0.2.7", **fields)
        assert (await add_domain(admin.context, literal)).warnings == []

    run(story(AdminWorld()))


def test_a_password_for_a_destination_that_dns_alone_tells_is_warned_of() -> None:
    async def story(admin: AdminWorld) -> None:
        await admin.host("alpha.example", "alpha", allow=("192.0.2.1",))
        await change(admin, destination="mail.alpha.example", tls=TlsUse.REQUIRED)
        login = {"destination_login": "us", "destination_password": "the-password-for-it"}
        [warning] = (await change(admin, **login)).warnings
        assert "its mail and the password for it" in warning
        assert (await change(admin, connections=3)).warnings == []

    run(story(AdminWorld()))


def test_localhost_is_no_name_of_dns() -> None:
    async def story(admin: AdminWorld) -> None:
        await admin.host("alpha.example", "alpha", allow=("192.0.2.1",))
        warnings = (await change(admin, destination="localhost:2600")).warnings
        assert "forged" not in str(warnings)

    run(story(AdminWorld()))


def test_a_verified_destination_is_not_warned_of() -> None:
    async def story(admin: AdminWorld) -> None:
        await admin.host("alpha.example", "alpha", allow=("192.0.2.1",))
        assert (await change(admin, tls=TlsUse.VERIFY)).warnings == []
        assert (await change(admin, connections=3)).warnings == []
        assert len((await change(admin, tls=TlsUse.REQUIRED)).warnings) == 1

    run(story(AdminWorld()))


def test_pinning_now_pins_the_key_that_is_shown_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def shown(destination: Destination, *_: Any) -> str:
        if destination.host == "192.0.2.9":
            raise NoKey("connection refused")
        return PIN

    monkeypatch.setattr(destinations, "shown_key", shown)

    async def story(admin: AdminWorld) -> None:
        await admin.host("alpha.example", "alpha")
        done = (await change(admin, pin_now=True)).domain
        assert (done.tls, done.tls_pins) == (TlsUse.VERIFY, [PIN])
        for wrong in ({"tls": TlsUse.OFF}, {"tls_pins": (PIN,)}, {"destination": "192.0.2.9"}):
            with pytest.raises(AdminError):
                await change(admin, pin_now=True, **wrong)
        assert await show_domain(admin.context, "alpha.example") == done

    run(story(AdminWorld()))


def test_a_listing_asks_the_store_for_one_domain_at_a_time() -> None:
    """The usage of all domains is a copy of ten thousand entries: it is made once, not for each."""

    async def story(admin: AdminWorld) -> None:
        for number in range(5):
            await admin.host(f"domain{number}.example", f"account{number}")
        asked: list[int] = []

        def usages() -> dict[int, DomainUsage]:
            asked.append(1)
            return {}

        admin.store.figures.usages = usages  # type: ignore[method-assign]
        assert len(list(await list_domains(admin.context))) == 5
        assert len(list(await list_domains(admin.context, "account1"))) == 1
        assert asked == []

    run(story(AdminWorld()))


def as_account(admin: AdminWorld, monkeypatch: pytest.MonkeyPatch) -> AdminContext:
    """Return the context of an account that may change its destination."""
    monkeypatch.setattr(permissions, "may", lambda *_: True)
    return admin.context.acting(
        Principal(Role.ACCOUNT, actor_named("token t"), "192.0.2.1", "alpha")
    )


def test_an_account_may_choose_public_destinations_only(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(admin: AdminWorld) -> None:
        await admin.host("alpha.example", "alpha")
        account = as_account(admin, monkeypatch)
        admin.resolver.known |= {"inside.example": ["10.0.0.1"], "out.example": ["8.8.8.8"]}
        for private in ("10.0.0.1", "inside.example", "[::ffff:10.0.0.2]:25"):
            with pytest.raises(AdminError, match="no public address") as caught:
                await change_domain(account, "alpha.example", DomainChange(destination=private))
            assert caught.value.kind is ErrorKind.INVALID
            assert private == "10.0.0.1" or "10.0.0.1" not in str(caught.value.error)
        for public in ("8.8.8.8", "out.example"):
            chosen = DomainChange(destination=public)
            done = await change_domain(account, "alpha.example", chosen)
            assert done.domain.destination_set_by == "alpha"

    run(story(AdminWorld()))


def test_an_account_learns_no_cause_from_the_resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(admin: AdminWorld) -> None:
        await admin.host("alpha.example", "alpha")
        change = DomainChange(destination="unknown.example")
        done = await change_domain(as_account(admin, monkeypatch), "alpha.example", change)
        cause = "cannot be resolved now; mail can go there only once it resolves"
        assert f"destination unknown.example: {cause}" in done.warnings

    run(story(AdminWorld()))


def test_the_chooser_of_a_destination_changes_with_host_and_port_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story(admin: AdminWorld) -> None:
        await admin.host("alpha.example", "alpha")
        account = as_account(admin, monkeypatch)
        before = (await show_domain(admin.context, "alpha.example")).destination
        same = await change_domain(account, "alpha.example", DomainChange(destination=before))
        assert same.domain.destination_set_by == ""
        await change_domain(account, "alpha.example", DomainChange(destination="8.8.8.8"))
        assert (await change(admin, destination="8.8.8.8")).domain.destination_set_by == "alpha"
        assert (await change(admin, private_destination=True)).domain.private_destination
        moved = await change_domain(account, "alpha.example", DomainChange(destination="8.8.4.4"))
        assert not moved.domain.private_destination, "the leave was for another host"
        assert (await change(admin, destination="192.0.2.9")).domain.destination_set_by == ""

    run(story(AdminWorld()))


def test_an_account_sends_certificates_and_names_no_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pem = trustme.CA().cert_pem.bytes().decode()
    file = tmp_path / "ca.pem"
    file.write_text(pem)

    async def story(admin: AdminWorld) -> None:
        await admin.host("alpha.example", "alpha")
        account = as_account(admin, monkeypatch)
        for path in (str(file), "/nonexistent", "relative"):
            wanted = DomainChange(tls=TlsUse.VERIFY, tls_ca=path)
            with pytest.raises(AdminError) as caught:
                await change_domain(account, "alpha.example", wanted)
            assert caught.value.kind is ErrorKind.NOT_ALLOWED
        wanted = DomainChange(tls=TlsUse.VERIFY, tls_ca=pem)
        done = await change_domain(account, "alpha.example", wanted)
        assert done.domain.tls_ca.split() == pem.split()
        assert "PEM text with SHA-256" in str(done.changes)
        assert (await change(admin, tls_ca=str(file))).domain.tls_ca == str(file)
        assert (await change(admin, tls_ca="")).domain.tls_ca == ""

    run(story(AdminWorld()))


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\n",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        "-----BEGIN CERTIFICATE-----\n" + "A" * 70_000 + "\n-----END CERTIFICATE-----\n",
    ],
    ids=["no certificate", "cut off", "a key", "too long"],
)
def test_a_text_that_is_no_list_of_certificates_is_refused(text: str) -> None:
    async def story(admin: AdminWorld) -> None:
        await admin.host("alpha.example", "alpha")
        with pytest.raises(AdminError, match="authority: the text"):
            await change(admin, tls=TlsUse.VERIFY, tls_ca=text)

    run(story(AdminWorld()))


def test_an_account_pins_the_recorded_destination_once_a_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    async def shown(destination: Destination, *_: Any) -> str:
        asked.append(destination.text)
        raise NoKey("connection refused")

    monkeypatch.setattr(destinations, "shown_key", shown)

    async def story(admin: AdminWorld) -> None:
        await admin.host("alpha.example", "alpha")
        account = as_account(admin, monkeypatch)
        elsewhere = DomainChange(destination="8.8.8.8:22", pin_now=True)
        with pytest.raises(AdminError, match="change the destination first"):
            await change_domain(account, "alpha.example", elsewhere)
        for words in ("shows no key", "try again in 60 seconds"):
            with pytest.raises(AdminError, match=words) as caught:
                await change_domain(account, "alpha.example", DomainChange(pin_now=True))
            assert caught.value.kind is ErrorKind.TRY_LATER
            account = replace(account, now=lambda: NOW + 3600)  # the clock is set ahead
        assert len(asked) == 1
        for _ in range(2):
            with pytest.raises(AdminError, match="shows no key"):
                await change(admin, pin_now=True)

    run(story(AdminWorld()))


def test_a_change_that_waited_undoes_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as a suspension, while the names of an account's new destination are looked up."""

    async def story(admin: AdminWorld) -> None:
        await admin.host("alpha.example", "alpha")
        account = as_account(admin, monkeypatch)
        asked, goes_on = asyncio.Event(), asyncio.Event()

        async def slow(name: str) -> tuple[IpAddress, ...]:
            asked.set()
            await goes_on.wait()
            return (ipaddress.ip_address("8.8.8.8"),)

        monkeypatch.setattr(admin.resolver, "addresses", slow)
        moved = DomainChange(destination="slow.example")
        waiting = asyncio.create_task(change_domain(account, "alpha.example", moved))
        await asked.wait()
        await change(admin, hold="suspended", reason="not paid")
        goes_on.set()
        with pytest.raises(AdminError, match="was changed by somebody else") as caught:
            await waiting
        assert caught.value.kind is ErrorKind.CONFLICT
        policy = admin.context.directory.now.domains["alpha.example"].policy
        assert policy.suspension is not None

    run(story(AdminWorld()))
