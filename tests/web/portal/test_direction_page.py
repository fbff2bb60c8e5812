"""A change of the destination by a form: with a factor only, and it waits."""

import asyncio

import pytest

from restante.admin.domain_change import DomainChange
from restante.admin.domains import change_domain
from restante.tenancy.grants import Grant, GrantedRole, Scope
from restante.tenancy.principal import Principal, Role
from restante.web.portal.own_path import keep_path
from tests.actors import actor_named
from tests.admin.admin_world import NOW, AdminWorld
from tests.web.portal.visitors import ALPHA, BETA, OPERATOR, hosting, user_of, visit

GRANTS: frozenset[Grant] = frozenset({GrantedRole.ACCOUNT_ADMIN, Scope.DOMAIN_DIRECT})
DIRECTOR = Principal(
    Role.ACCOUNT,
    actor_named("user anna (alpha)"),
    "192.0.2.9",
    "alpha",
    (GRANTS,),
    user="anna@x.example",
)
PAGE = "/domains/alpha.example/direction"
HOSTS = "/domains/alpha.example/hosts"
DESTINATION = "/domains/alpha.example/destination"
STALE = NOW - 1


def admin_of_alpha() -> AdminWorld:
    admin = hosting()
    admin.resolver.known["mail2.alpha.example"] = ["9.9.9.9"]
    admin.set(change_delay=lambda: 3600.0)
    return admin


def waiting(admin: AdminWorld) -> list[str]:
    return [one.parts_text for one in asyncio.run(admin.store.schedule.waiting_changes())]


def test_a_new_destination_waits_and_is_shown_with_a_way_to_cancel_it() -> None:
    admin = admin_of_alpha()
    form = {"destination": "mail2.alpha.example", "tls": "required", "reason": "a new server"}
    done = visit(admin, DESTINATION, DIRECTOR, form=form)
    assert (done.status_code, done.headers["location"]) == (303, "/domains/alpha.example")
    assert waiting(admin) == ["destination"]
    for path in ("/domains/alpha.example", PAGE):
        text = visit(admin, path, DIRECTOR).text
        assert "Waiting changes" in text
        assert "a new server" in text
        assert "mail2.alpha.example" in text
        assert 'action="/domains/alpha.example/changes/1/cancel"' in text
        assert "changes/1/apply" not in text
        assert "<dt>Host</dt>" in text
        assert "<dt>TLS</dt>" in text  # each field that changes
        assert "set_by" not in text
    cancelled = visit(admin, "/domains/alpha.example/changes/1/cancel", ALPHA, form={})
    assert cancelled.status_code == 303
    assert waiting(admin) == []
    assert "Waiting changes" not in visit(admin, "/domains/alpha.example", DIRECTOR).text


def test_a_domain_without_a_destination_and_one_that_allows_turnarounds_say_so() -> None:
    admin = admin_of_alpha()
    assert "and nowhere else." in visit(admin, PAGE, OPERATOR).text
    allowed = DomainChange.model_validate({"turnaround": "allow"})
    asyncio.run(change_domain(admin.context, "alpha.example", allowed))
    assert "or by ATRN to a login that may take it" in visit(admin, PAGE, OPERATOR).text
    assert visit(admin, DESTINATION, OPERATOR, form={"destination": "none"}).status_code == 303
    assert "its mail leaves by ATRN only" in visit(admin, PAGE, OPERATOR).text


def test_a_change_that_waits_stands_first_on_the_overview() -> None:
    admin = admin_of_alpha()
    asyncio.run(admin.hold(1, 1, "a@alpha.example"))
    asyncio.run(admin.refuse(1, 1, "a@alpha.example", "550 no"))
    visit(admin, DESTINATION, DIRECTOR, form={"destination": "mail2.alpha.example"})
    for who, path in ((ALPHA, "/"), (OPERATOR, "/"), (OPERATOR, "/?account=alpha")):
        listed = visit(admin, path, who).text.partition('<h2 id="needs">')[2].split("<li")[1:]
        assert 'href="/domains/alpha.example#waiting"' in listed[0]
        assert "changes its destination to mail2.alpha.example, from " in listed[0]
        assert "has refused 1 message" in listed[1]
    assert "mail2" not in visit(admin, "/", BETA).text
    visit(admin, "/domains/alpha.example/changes/1/cancel", ALPHA, form={})
    assert "mail2" not in visit(admin, "/", ALPHA).text


def test_authorized_hosts_are_replaced_by_a_form() -> None:
    admin = admin_of_alpha()
    assert "192.0.2.1" in visit(admin, PAGE, DIRECTOR).text
    form = {"hosts": "192.0.2.1\r\n mx.alpha.example"}
    assert visit(admin, HOSTS, DIRECTOR, form=form).status_code == 303
    assert waiting(admin) == ["authorized hosts"]


@pytest.mark.parametrize("path", [DESTINATION, HOSTS])
def test_a_change_needs_a_recent_factor(path: str) -> None:
    admin = admin_of_alpha()
    form = {"destination": "mail2.alpha.example", "hosts": "192.0.2.7"}
    answer = visit(admin, path, DIRECTOR, form=form, fresh_until=STALE)
    assert answer.headers["location"] == keep_path(f"/repeat?to={path}", PAGE)
    assert waiting(admin) == []
    text = visit(admin, PAGE, DIRECTOR, fresh_until=STALE).text
    assert "confirm first that it is you" in text
    assert "<textarea" not in text


def test_cancelling_needs_none() -> None:
    admin = admin_of_alpha()
    visit(admin, HOSTS, DIRECTOR, form={"hosts": "192.0.2.7"})
    path = "/domains/alpha.example/changes/1/cancel"
    assert visit(admin, path, DIRECTOR, form={}, fresh_until=STALE).status_code == 303
    assert waiting(admin) == []


@pytest.mark.parametrize("action", ["cancel", "apply"])
def test_a_change_is_reached_by_the_path_of_its_own_domain_only(action: str) -> None:
    admin = admin_of_alpha()
    asyncio.run(admin.host("second.example", "alpha"))
    visit(admin, HOSTS, DIRECTOR, form={"hosts": "192.0.2.7"})
    for domain in ("second.example", "evil.example"):
        path = f"/domains/{domain}/changes/1/{action}"
        assert visit(admin, path, OPERATOR, form={}).status_code == 404
    assert waiting(admin) == ["authorized hosts"]


def test_an_operator_applies_it_early_with_a_factor() -> None:
    admin = admin_of_alpha()
    visit(admin, HOSTS, DIRECTOR, form={"hosts": "192.0.2.7"})
    path = "/domains/alpha.example/changes/1/apply"
    assert 'changes/1/apply"' in visit(admin, "/domains/alpha.example", OPERATOR).text
    assert visit(admin, path, DIRECTOR, form={}).status_code == 403
    stale = visit(admin, path, OPERATOR, form={}, fresh_until=STALE)
    assert stale.headers["location"].startswith("/step-up")
    assert waiting(admin) == ["authorized hosts"]
    assert visit(admin, path, OPERATOR, form={}).status_code == 303
    hosts = admin.context.directory.now.domains["alpha.example"].authorized_hosts
    assert hosts.texts == ("192.0.2.7",)


def test_others_do_not_reach_it() -> None:
    admin = admin_of_alpha()
    visit(admin, HOSTS, DIRECTOR, form={"hosts": "192.0.2.7"})
    reader = user_of("alpha", GrantedRole.ACCOUNT_READER)
    for path in (PAGE, HOSTS, DESTINATION, "/domains/alpha.example/changes/1/cancel"):
        form = None if path == PAGE else {"hosts": "192.0.2.8", "destination": "192.0.2.8"}
        assert visit(admin, path, BETA, form=form).status_code == 404
        if form is not None:
            assert visit(admin, path, reader, form=form).status_code == 403
    assert visit(admin, HOSTS, ALPHA, form={"hosts": "192.0.2.8"}).status_code == 403
    assert waiting(admin) == ["authorized hosts"]
    assert "Change destination" not in visit(admin, "/domains/alpha.example", ALPHA).text


def test_telling_the_primary_the_client_is_chosen_there_and_waits_too() -> None:
    admin = admin_of_alpha()
    text = visit(admin, PAGE, DIRECTOR).text
    assert '<option value="none" selected>none: it sees this server</option>' in text
    form = {"destination": "mail2.alpha.example:2526", "client_address": "proxy"}
    assert visit(admin, DESTINATION, DIRECTOR, form=form).status_code == 303
    assert waiting(admin) == ["destination"]
    shown = visit(admin, PAGE, DIRECTOR).text
    assert "<dt>Client&#39;s address</dt><dd><del>none</del> → <ins>proxy</ins></dd>" in shown
    assert visit(admin, DESTINATION, OPERATOR, form=form).status_code == 303
    domain = visit(admin, "/domains/alpha.example", OPERATOR).text
    assert "it is told the client's address by the PROXY protocol" in domain


@pytest.mark.parametrize("number", ["0", "x", "²", "9" * 40])
def test_a_number_that_is_none_is_not_found(number: str) -> None:
    path = f"/domains/alpha.example/changes/{number}/cancel"
    assert visit(admin_of_alpha(), path, DIRECTOR, form={}).status_code == 404


@pytest.mark.parametrize(
    ("path", "form"),
    [
        (DESTINATION, {"destination": "x" * 2000}),
        (DESTINATION, {"destination": "mail2.alpha.example", "tls": "perhaps"}),
        (DESTINATION, {"destination": "mail2.alpha.example", "client_address": "perhaps"}),
        (HOSTS, {"hosts": "192.0.2.1 " * 1001}),
        (HOSTS, {"hosts": "not/a/host"}),
    ],
    ids=["long", "tls", "client", "many", "odd"],
)
def test_values_out_of_bounds_are_refused(path: str, form: dict[str, str]) -> None:
    admin = admin_of_alpha()
    assert visit(admin, path, DIRECTOR, form=form).status_code == 422
    assert waiting(admin) == []


def test_strangers_text_in_a_waiting_change_is_text() -> None:
    admin = admin_of_alpha()
    form = {"hosts": "192.0.2.7", "reason": "<script>alert(1)</script>"}
    visit(admin, HOSTS, DIRECTOR, form=form)
    text = visit(admin, "/domains/alpha.example", DIRECTOR).text
    assert "&lt;script&gt;" in text
    assert "<script>alert" not in text


def test_a_lock_is_explained() -> None:
    admin = admin_of_alpha()
    asyncio.run(
        change_domain(
            admin.context, "alpha.example", DomainChange.model_validate({"change_lock": True})
        )
    )
    answer = visit(admin, HOSTS, DIRECTOR, form={"hosts": "192.0.2.7"})
    assert answer.status_code == 403
    assert "an operator has locked this domain" in answer.text
