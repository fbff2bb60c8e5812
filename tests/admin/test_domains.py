from typing import Any

import pytest

from restante.admin import destinations
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
from restante.store.mail_figures import Usage
from restante.tenancy.model import Destination, TlsUse
from tests.admin.desk import Desk, run

PIN = "ab" * 32


def change(desk: Desk, **fields: Any) -> Any:
    return change_domain(desk.context, "alpha.example", DomainChange(**fields))


def test_a_domain_is_known_by_one_spelling() -> None:
    async def story(desk: Desk) -> None:
        await desk.host("xn--bcher-kva.example", "alpha")
        assert (await show_domain(desk.context, "BÜCHER.example.")).name == "xn--bcher-kva.example"
        with pytest.raises(AdminError) as caught:
            await add_domain(
                desk.context,
                NewDomain(name="bücher.example", account="alpha", destination="mail.alpha.example"),
            )
        assert caught.value.kind is ErrorKind.EXISTS

    run(story(Desk()))


def test_set_changes_only_what_is_given() -> None:
    async def story(desk: Desk) -> None:
        await desk.host("alpha.example", "alpha", tls=TlsUse.REQUIRED, connections=2)
        before = await show_domain(desk.context, "alpha.example")
        done = await change(desk, destination="192.0.2.9:2525")
        assert done.domain == before.model_copy(update={"destination": "192.0.2.9:2525"})

    run(story(Desk()))


def test_the_operator_is_warned_of_a_list_that_lets_nobody_or_everybody_ask() -> None:
    async def story(desk: Desk) -> None:
        await desk.host("alpha.example", "alpha")
        assert "no host is authorized" in (await change(desk, allow=())).warnings[0]
        assert "any host" in (await change(desk, allow=("0.0.0.0/0",))).warnings[0]

    run(story(Desk()))


def test_a_drain_is_ended_by_a_suspension_and_a_removal_and_not_by_another_change() -> None:
    async def story(desk: Desk) -> None:
        number = await desk.host("alpha.example", "alpha")
        assert desk.server
        await change(desk, connections=3)
        assert desk.server.stopped == []
        await change(desk, hold="suspended", reason="not paid")
        await remove_domain(desk.context, "alpha.example", "moved away")
        assert desk.server.stopped == [
            (number, "the domain was suspended"),
            (number, "the domain is no longer hosted"),
        ]

    run(story(Desk()))


def test_a_domain_that_holds_mail_stays() -> None:
    async def story(desk: Desk) -> None:
        number = await desk.host("alpha.example", "alpha")
        await desk.hold(1, number, "x@alpha.example")
        with pytest.raises(AdminError, match="holds 1 message; release or delete them first"):
            await remove_domain(desk.context, "alpha.example", "moved away")

    run(story(Desk()))


def test_domains_are_listed_by_account() -> None:
    async def story(desk: Desk) -> None:
        await desk.host("beta.example", "beta")
        await desk.host("alpha.example", "alpha")
        assert [view.name for view in await list_domains(desk.context)] == [
            "alpha.example",
            "beta.example",
        ]
        assert [view.name for view in await list_domains(desk.context, "beta")] == ["beta.example"]
        with pytest.raises(AdminError):
            await list_domains(desk.context, "gamma")

    run(story(Desk()))


@pytest.mark.parametrize("tls", [None, TlsUse.OPPORTUNISTIC, TlsUse.REQUIRED, TlsUse.OFF])
def test_a_destination_that_dns_alone_tells_is_warned_of(tls: TlsUse | None) -> None:
    async def story(desk: Desk) -> None:
        await desk.host("other.example", "alpha")  # makes the account
        fields: dict[str, Any] = {"account": "alpha", "allow": ("192.0.2.1",), "tls": tls}
        named = NewDomain(name="a.example", destination="mail.alpha.example", **fields)
        [warning] = (await add_domain(desk.context, named)).warnings
        assert "--tls verify" in warning
        assert "--pin-now" in warning
        literal = NewDomain(name="b.example", destination="192.0.2.7", **fields)
        assert (await add_domain(desk.context, literal)).warnings == []

    run(story(Desk()))


def test_a_verified_destination_is_not_warned_of() -> None:
    async def story(desk: Desk) -> None:
        await desk.host("alpha.example", "alpha", allow=("192.0.2.1",))
        assert (await change(desk, tls=TlsUse.VERIFY)).warnings == []
        assert (await change(desk, connections=3)).warnings == []
        assert len((await change(desk, tls=TlsUse.REQUIRED)).warnings) == 1

    run(story(Desk()))


def test_pinning_now_pins_the_key_that_is_shown_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def shown(destination: Destination, *_: Any) -> str:
        if destination.host == "192.0.2.9":
            raise NoKey("connection refused")
        return PIN

    monkeypatch.setattr(destinations, "shown_key", shown)

    async def story(desk: Desk) -> None:
        await desk.host("alpha.example", "alpha")
        done = (await change(desk, pin_now=True)).domain
        assert (done.tls, done.tls_pins) == (TlsUse.VERIFY, [PIN])
        for wrong in ({"tls": TlsUse.OFF}, {"tls_pins": (PIN,)}, {"destination": "192.0.2.9"}):
            with pytest.raises(AdminError):
                await change(desk, pin_now=True, **wrong)
        assert await show_domain(desk.context, "alpha.example") == done

    run(story(Desk()))


def test_a_listing_asks_the_store_for_one_domain_at_a_time() -> None:
    """The usage of all domains is a copy of ten thousand entries: it is made once, not for each."""

    async def story(desk: Desk) -> None:
        for number in range(5):
            await desk.host(f"domain{number}.example", f"account{number}")
        asked: list[int] = []

        def usages() -> dict[int, Usage]:
            asked.append(1)
            return {}

        desk.store.figures.usages = usages  # type: ignore[method-assign]
        assert len(list(await list_domains(desk.context))) == 5
        assert len(list(await list_domains(desk.context, "account1"))) == 1
        assert asked == []

    run(story(Desk()))
