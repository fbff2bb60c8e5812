"""The operator's release: done by the server, and answered for each target."""

import pytest

from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.operator_release import NothingReleased, ReleaseOrder, release
from restante.tenancy.principal import account_login
from tests.admin.admin_world import AdminWorld, run


def test_a_release_goes_through_the_servers_door() -> None:
    admin = AdminWorld()
    answers = run(
        release(
            admin.context,
            ReleaseOrder(targets=("alpha.example", "unknown.example"), reason="asked by phone"),
        )
    )
    assert [answer.result for answer in answers] == ["granted", "refused"]
    assert admin.server
    assert admin.server.released[0] == ("alpha.example", "operator", "asked by phone")


@pytest.mark.parametrize(
    ("targets", "kind"),
    [
        (("unknown.example",), ErrorKind.NOT_FOUND),
        (("",), ErrorKind.INVALID),
        (("unpaid.example",), ErrorKind.CONFLICT),
        (("busy.example",), ErrorKind.TRY_LATER),
        (("", "unknown.example"), ErrorKind.NOT_FOUND),
        (("unknown.example", "unpaid.example"), ErrorKind.CONFLICT),
        (("unknown.example", "unpaid.example", "busy.example"), ErrorKind.TRY_LATER),
    ],
)
def test_a_release_of_nothing_is_an_error(targets: tuple[str, ...], kind: ErrorKind) -> None:
    with pytest.raises(NothingReleased) as caught:
        run(release(AdminWorld().context, ReleaseOrder(targets=targets)))
    assert caught.value.kind is kind
    assert [one.target for one in caught.value.results] == list(targets)


def test_the_error_has_cause_and_remedy() -> None:
    with pytest.raises(NothingReleased) as caught:
        run(release(AdminWorld().context, ReleaseOrder(targets=("unknown.example", ""))))
    assert str(caught.value) == (
        "unknown.example: not allowed; not hosted; and 1 more;"
        " `restante domain list` shows the hosted domains"
    )


def test_a_domain_of_nearly_that_name_is_named() -> None:
    async def story(admin: AdminWorld) -> None:
        for account in ("alpha", "beta"):
            await admin.host(f"{account}.example", account)
        with pytest.raises(
            NothingReleased, match=r"did you mean alpha\.example\? `restante domain"
        ):
            await release(admin.context, ReleaseOrder(targets=("alpha.exmple",)))
        context = admin.context.acting(account_login("alice", "alpha", "192.0.2.1"))
        with pytest.raises(NothingReleased) as caught:
            await release(context, ReleaseOrder(targets=("beta.exmple",)))
        assert "beta.example" not in str(caught.value), "it is another account's"

    run(story(AdminWorld()))


def test_without_a_server_a_release_says_so() -> None:
    with pytest.raises(AdminError, match="no server is running; start it") as caught:
        run(release(AdminWorld(server=None).context, ReleaseOrder(targets=("alpha.example",))))
    assert caught.value.kind is ErrorKind.UNAVAILABLE


def test_unknown_and_foreign_domains_look_the_same_for_an_account() -> None:
    """The true reason is in the trail of the account."""
    context = AdminWorld().context.acting(account_login("alice", "alpha", "192.0.2.1"))
    with pytest.raises(NothingReleased) as caught:
        run(release(context, ReleaseOrder(targets=("unknown.example",))))
    [answer] = caught.value.results
    assert answer.reason == "no such domain among those that you may release"
