"""Lists come by pages, and each page but the last links to the next."""

import asyncio
from typing import Any

import pytest

from restante.admin.accounts import NewAccount, add_account
from restante.store.mail_handover import PastDrain
from tests.admin.desk import NOW, Desk, ask_for
from tests.web.api.asking import ask

ENDED = PastDrain(NOW - 9, NOW, "operator", "finished", "", 1, 0, 0, "")


def desk_with(path: str) -> Desk:
    """Return a desk with five things in this list."""
    desk = Desk()

    async def story() -> None:
        for number in range(5):
            if path == "/v1/domains":
                await desk.host(f"d{number}.example", "alpha")
            else:
                await add_account(desk.context, NewAccount(name=f"a{number}"))

        if path == "/v1/drains/last":
            for number in range(5):
                domain_id = await desk.host(f"d{number}.example", "alpha")
                drain = await ask_for(desk, 50 + number, f"d{number}.example", domain_id)
                await desk.store.handover.close_drain(drain, ENDED)

    asyncio.run(story())
    for number in range(5):
        token = {"name": f"t{number // 2}", "account": f"a{number % 2}", "role": "account-reader"}
        if path == "/v1/tokens":
            added = ask(desk, "POST", path, json=token).json()
            token_path = f"{path}/{added['id']}"  # so that its name is free again
            assert ask(desk, "DELETE", token_path, params={"reason": "x"}).status_code == 204
        login = {"user": f"u{number}", "password": "long enough"}
        channel = {"name": "ops", "account": f"a{number}", "mail": "o@elsewhere.example"}
        if path.endswith("logins"):
            assert ask(desk, "POST", path, json=login).status_code == 201
        if path.endswith("channels"):
            assert ask(desk, "POST", path, json=channel).status_code == 201
    return desk


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
    desk = desk_with(path)
    whole = ask(desk, "GET", path)
    assert len(whole.json()) == 5
    assert "link" not in whole.headers
    found: list[Any] = []
    following, sizes = f"{path}?limit=2", []
    while following:
        answer = ask(desk, "GET", following)
        sizes.append(len(answer.json()))
        found += answer.json()
        following = answer.links.get("next", {}).get("url", "")
    assert found == whole.json()
    assert sizes == [2, 2, 1]


def test_a_link_keeps_the_other_parameters() -> None:
    desk = desk_with("/v1/domains")
    answer = ask(desk, "GET", "/v1/domains?account=alpha&limit=1")
    link = answer.links["next"]["url"]
    assert link == "/v1/domains?account=alpha&after=d0.example&limit=1"


def test_a_full_last_page_has_no_link() -> None:
    answer = ask(desk_with("/v1/accounts"), "GET", "/v1/accounts?limit=5")
    assert len(answer.json()) == 5
    assert "link" not in answer.headers


@pytest.mark.parametrize("limit", ["0", "501", "many"])
def test_a_page_is_bounded(limit: str) -> None:
    assert ask(Desk(), "GET", f"/v1/accounts?limit={limit}").status_code == 422


def test_the_end_of_a_list_is_an_empty_page() -> None:
    assert ask(desk_with("/v1/accounts"), "GET", "/v1/accounts?after=zz").json() == []
