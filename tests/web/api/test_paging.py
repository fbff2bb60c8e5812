"""Lists come by pages, and each page but the last links to the next."""

import asyncio
from typing import Any

import pytest

from restante.admin.accounts import NewAccount, add_account
from restante.admin.bounce import bounce_messages
from restante.admin.channel_change import NewChannel
from restante.admin.channels import add_channel
from restante.admin.held_mail import NamedMessages
from restante.admin.recipient_lists import RecipientList, replace_recipients
from restante.queue.drain_word import DrainEnd
from restante.store.handover_store import PastDrain
from restante.tenancy.notice import NewNotice, NoticeFacts, NoticeKind, PastNotice
from tests.admin.admin_world import NOW, AdminWorld, ask_for
from tests.web.api.asking import ask

ENDED = PastDrain(NOW - 9, NOW, "operator", DrainEnd.FINISHED, "", 1, 0, 0, "")


def admin_with(path: str) -> AdminWorld:
    """Return an admin world with five things in this list."""
    admin = AdminWorld()

    async def story() -> None:
        for number in range(5):
            if path == "/v1/domains":
                await admin.host(f"d{number}.example", "alpha")
            else:
                await add_account(admin.context, NewAccount(name=f"a{number}"))

        if path == "/v1/drains/last":
            for number in range(5):
                domain_id = await admin.host(f"d{number}.example", "alpha")
                drain = await ask_for(admin, 50 + number, f"d{number}.example", domain_id)
                await admin.store.handover.close_drain(drain, ENDED)

    asyncio.run(story())
    for number in range(5):
        token = {"name": f"t{number // 2}", "account": f"a{number % 2}", "role": "account-reader"}
        if path == "/v1/tokens":
            added = ask(admin, "POST", path, json=token).json()
            token_path = f"{path}/{added['id']}"  # so that its name is free again
            assert ask(admin, "DELETE", token_path, params={"reason": "x"}).status_code == 204
        login = {"user": f"u{number}", "password": "long enough"}
        channel = {"name": "ops", "account": f"a{number}", "mail": "o@elsewhere.example"}
        if path.endswith("logins"):
            assert ask(admin, "POST", path, json=login).status_code == 201
        if path.endswith("channels"):
            assert ask(admin, "POST", path, json=channel).status_code == 201
    return admin


@pytest.mark.parametrize(
    "path",
    [
        "/v1/accounts",
        "/v1/domains",
        "/v1/accounts/a1/logins",
        "/v1/notices/channels",
        "/v1/tokens",
        "/v1/drains/last",
    ],
)
def test_pages_together_are_the_whole_list(path: str) -> None:
    admin = admin_with(path)
    whole = ask(admin, "GET", path)
    assert len(whole.json()) == 5
    assert "link" not in whole.headers
    found: list[Any] = []
    following, sizes = f"{path}?limit=2", []
    while following:
        answer = ask(admin, "GET", following)
        sizes.append(len(answer.json()))
        found += answer.json()
        following = answer.links.get("next", {}).get("url", "")
    assert found == whole.json()
    assert sizes == [2, 2, 1]


def test_a_link_keeps_the_other_parameters() -> None:
    admin = admin_with("/v1/domains")
    answer = ask(admin, "GET", "/v1/domains?account=alpha&limit=1")
    link = answer.links["next"]["url"]
    assert link == "/v1/domains?account=alpha&after=d0.example&limit=1"


def test_a_full_last_page_has_no_link() -> None:
    answer = ask(admin_with("/v1/accounts"), "GET", "/v1/accounts?limit=5")
    assert len(answer.json()) == 5
    assert "link" not in answer.headers


@pytest.mark.parametrize("limit", ["0", "501", "many"])
def test_a_page_is_bounded(limit: str) -> None:
    assert ask(AdminWorld(), "GET", f"/v1/accounts?limit={limit}").status_code == 422


def test_the_end_of_a_list_is_an_empty_page() -> None:
    assert ask(admin_with("/v1/accounts"), "GET", "/v1/accounts?after=zz").json() == []


def _with_things() -> AdminWorld:
    """Return an admin world with three of everything that comes and goes."""
    admin = AdminWorld()

    async def story() -> None:
        domain_id = await admin.host("alpha.example", "alpha")
        for number in (1, 2, 3, 4, 5, 6):
            await admin.hold(number, domain_id, "x@alpha.example")
        names = NamedMessages(names=("4", "5", "6"), reason="gone")
        await bounce_messages(admin.context, names)
        for number in (51, 52, 53):
            await ask_for(admin, number, "alpha.example", domain_id)
        wanted = RecipientList(addresses=("a", "b", "c"), is_confirmed=True)
        await replace_recipients(admin.context, "alpha.example", wanted)
        target = NewChannel(name="hook", account="alpha", mail="o@elsewhere.example")
        await add_channel(admin.context, target)
        [channel] = admin.context.directory.now.channels
        facts = NoticeFacts(NoticeKind.PRIMARY_AWAY, "alpha", "x", "away", NOW)
        for number in range(3):
            waiting = NewNotice(channel, str(number), facts, 0, NOW)
            await admin.store.notices.keep_notices([waiting], [], [], limit=100)
            past = PastNotice(
                0, channel, str(number), facts, 0, NOW, is_sent=True, failures=0, reply=""
            )
            await admin.store.notices.settle_notices([], [past])

    asyncio.run(story())
    return admin


LISTS = (
    "/v1/queue",
    "/v1/reports",
    "/v1/releases",
    "/v1/audit",
    "/v1/domains/alpha.example/recipients",
    "/v1/notices/waiting",
    "/v1/notices/past",
    "/v1/drains",
)


@pytest.mark.parametrize("path", LISTS)
def test_links_lead_through_lists_of_what_comes_and_goes(path: str) -> None:
    admin = _with_things()
    whole = ask(admin, "GET", path)
    assert "link" not in whole.headers
    found: list[Any] = []
    following: str | None = f"{path}?limit=1"
    while following:
        answer = ask(admin, "GET", following)
        assert len(answer.json()) == 1
        found += answer.json()
        following = answer.links.get("next", {}).get("url")
    assert found == whole.json()
    assert len(found) >= (1 if path == "/v1/drains" else 3)


@pytest.mark.parametrize("path", LISTS)
def test_a_cursor_that_no_list_gives_is_refused_with_a_remedy(path: str) -> None:
    answer = ask(_with_things(), "GET", path, params={"after": "…/…"})
    assert answer.status_code == 422
    assert answer.json()["remedy"]


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("limit", ["0", "501"])
def test_no_page_is_without_bounds(path: str, limit: str) -> None:
    assert ask(_with_things(), "GET", path, params={"limit": limit}).status_code == 422
