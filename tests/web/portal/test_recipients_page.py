"""The page of known recipients: found, added and removed by forms."""

import asyncio

import pytest

from restante.admin.recipient_lists import RecipientChange, change_recipients, list_recipients
from restante.tenancy.grants import GrantedRole
from tests.admin.admin_world import AdminWorld
from tests.web.portal.visitors import ALPHA, BETA, after, hosting, user_of, visit

PAGE = "/domains/alpha.example/recipients"


def with_names(*names: str) -> AdminWorld:
    admin = hosting()
    if names:
        asyncio.run(change_recipients(admin.context, "alpha.example", RecipientChange(add=names)))
    return admin


def listed(admin: AdminWorld) -> list[str]:
    page = asyncio.run(list_recipients(admin.context, "alpha.example"))
    return [one.name for one in page.views]


def test_recipients_can_be_found_by_a_part_of_their_name() -> None:
    admin = with_names("postmaster", "anna")
    text = visit(admin, PAGE, ALPHA).text
    assert "postmaster" in text
    assert "anna" in text
    found = visit(admin, f"{PAGE}?find=POST", ALPHA).text
    assert "postmaster" in found
    assert "anna</th>" not in found


def test_names_are_added_and_removed() -> None:
    admin = with_names("anna")
    names = "ben@alpha.example\r\nsales-*, anna"
    done = visit(admin, PAGE, ALPHA, form={"do": "add", "names": names, "reason": "new staff"})
    assert done.headers["location"] == PAGE
    assert "2 names added." in after(admin, done)
    assert listed(admin) == ["anna", "ben", "sales-*"]
    done = visit(admin, PAGE, ALPHA, form={"do": "remove", "names": "anna"})
    assert "1 name removed." in after(admin, done)
    assert listed(admin) == ["ben", "sales-*"]
    text = visit(admin, PAGE, ALPHA).text
    assert "restante recipient remove alpha.example NAME" in text
    assert '<input type="hidden" name="names" value="ben">' in text


def test_a_repeated_addition_says_so() -> None:
    admin = with_names("anna")
    done = visit(admin, PAGE, ALPHA, form={"do": "add", "names": "anna"})
    assert "The list had that already." in after(admin, done)


@pytest.mark.parametrize(
    ("action", "names"),
    [("add", "ben@other.example"), ("add", " "), ("remove", "ben"), ("add", "<b>@x")],
)
def test_a_wrong_name_changes_nothing_and_stays_to_be_corrected(action: str, names: str) -> None:
    admin = with_names("anna")
    form = {"do": action, "names": names, "reason": "typed"}
    answer = visit(admin, PAGE, ALPHA, form=form)
    assert (answer.status_code, 'role="alert"' in answer.text) == (422, True)
    assert 'value="typed"' in answer.text
    assert "<b>" not in answer.text
    assert listed(admin) == ["anna"]


def test_an_unknown_action_is_refused() -> None:
    assert visit(with_names(), PAGE, ALPHA, form={"do": "x", "names": "a"}).status_code == 422


def test_an_address_tells_nothing() -> None:
    assert 'class="told"' not in visit(with_names(), f"{PAGE}?added=777&dropped=5", ALPHA).text


def test_others_change_nothing() -> None:
    admin = with_names("anna")
    form = {"do": "add", "names": "ben"}
    reader = user_of("alpha", GrantedRole.ACCOUNT_READER)
    assert visit(admin, PAGE, reader, form=form).status_code == 403
    assert visit(admin, PAGE, BETA, form=form).status_code == 404
    assert "Change the list" not in visit(admin, PAGE, reader).text
    assert listed(admin) == ["anna"]
