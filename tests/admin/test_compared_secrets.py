"""Requests that compare secrets with stored ones: after a few wrong ones there is no answer."""

from typing import Any

import pytest
from pydantic import SecretStr

from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.compared_secrets import judge_secret
from restante.admin.configuration_entries import NotApplicable
from restante.admin.logins import NewLogin, add_login
from restante.request_limits.secret_guesses import MOST_WRONG
from tests.admin.admin_world import AdminWorld, run
from tests.admin.configurations import apply

ACCOUNT = {"thing": "account", "name": "a"}
LOGIN = {"thing": "login", "user": "one", "account": "a", "password": "correct horse"}
DOMAIN = {
    "thing": "domain",
    "name": "a.example",
    "account": "a",
    "destination": "192.0.2.1:25",
    "tls": "required",
    "destination_login": "relay",
    "destination_password": "correct horse",
}
CHANNEL = {
    "thing": "channel",
    "name": "ops",
    "account": "a",
    "apprise": "jsons://198.51.100.7/correct-horse",
}


@pytest.fixture
def admin() -> AdminWorld:
    admin = AdminWorld()
    apply(admin, [ACCOUNT, LOGIN, DOMAIN, CHANNEL])
    return admin


@pytest.mark.parametrize(
    ("entry", "field"),
    [(LOGIN, "password"), (DOMAIN, "destination_password"), (CHANNEL, "apprise")],
    ids=["login", "destination", "channel"],
)
def test_a_dry_run_answers_only_a_few_guesses(
    admin: AdminWorld, entry: dict[str, Any], field: str
) -> None:
    for number in range(MOST_WRONG):
        guess = f"{entry[field]}{number}"
        apply(admin, [{**entry, field: guess}], is_dry_run=True)
    with pytest.raises(NotApplicable, match="too many wrong secrets"):
        apply(admin, [entry], is_dry_run=True)


def test_a_repeated_add_answers_only_a_few_guesses(admin: AdminWorld) -> None:
    def add(password: str) -> None:
        new = NewLogin(user="one", password=SecretStr(password))
        run(add_login(admin.context, "a", new))

    add("correct horse")
    for number in range(MOST_WRONG):
        with pytest.raises(AdminError, match="password differs"):
            add(f"battery {number}")
    with pytest.raises(AdminError) as caught:
        add("correct horse")
    assert caught.value.kind is ErrorKind.TRY_LATER


def test_each_record_has_a_count_of_its_own(admin: AdminWorld) -> None:
    for _ in range(MOST_WRONG):
        judge_secret(admin.context, "login one", is_same=False)
    judge_secret(admin.context, "login two", is_same=True)
