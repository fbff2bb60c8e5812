"""The forms of a domain's policy, and of its suspension."""

import asyncio
import re

import pytest

from restante.admin.auditing import list_audit
from restante.tenancy.grants import GrantedRole
from restante.tenancy.policy import DAY, HoldPolicy, Policy
from restante.web.portal.own_path import keep_path
from tests.admin.admin_world import NOW, AdminWorld
from tests.web.portal.visitors import ALPHA, BETA, OPERATOR, hosting, user_of, visit

PAGE = "/domains/alpha.example/policy"
SUSPEND = "/domains/alpha.example/suspend"
SHORTER = {"retention": "2d", "was_retention": "none", "reason": "a small disk"}


def policy_of(admin: AdminWorld) -> Policy:
    return admin.context.directory.now.domains["alpha.example"].policy


def test_an_account_changes_how_long_mail_is_kept() -> None:
    admin = hosting()
    text = visit(admin, PAGE, ALPHA).text
    assert 'name="retention" value="none"' in text
    assert "restante domain set alpha.example --hold until-asked" in text
    assert "quota" not in text
    form = {**SHORTER, "at_end": "bounce", "was_at_end": "keep", "hold": "on-return"}
    done = visit(admin, PAGE, ALPHA, form=form)
    assert (done.status_code, done.headers["location"]) == (303, "/domains/alpha.example")
    assert policy_of(admin).retention.seconds == 2 * DAY
    assert policy_of(admin).hold is HoldPolicy.ON_RETURN
    [entry, *_] = asyncio.run(list_audit(admin.context)).views
    assert (entry.actor, entry.reason) == ("user anna (alpha)", "a small disk")


def test_an_operator_sets_limits_and_an_account_cannot() -> None:
    admin = hosting()
    form = {"quota": "10G", "was_quota": "none"}
    assert visit(admin, PAGE, ALPHA, form=form).status_code == 403
    assert visit(admin, PAGE, OPERATOR, form=form).status_code == 303
    assert policy_of(admin).quota.octets == 10 * 2**30


def test_what_was_typed_stays_on_the_page_if_it_is_refused() -> None:
    admin = hosting()
    answer = visit(admin, PAGE, ALPHA, form={**SHORTER, "retention": "<b>soon"})
    assert answer.status_code == 422
    assert 'value="&lt;b&gt;soon"' in answer.text
    assert 'value="a small disk"' in answer.text
    assert 'role="alert"' in answer.text
    assert policy_of(admin).retention.seconds is None


def test_a_change_needs_a_recent_factor_and_keeps_the_form() -> None:
    admin = hosting()
    answer = visit(admin, PAGE, ALPHA, form=SHORTER, fresh_until=NOW - 1)
    assert answer.headers["location"] == keep_path(f"/repeat?to={PAGE}", PAGE)
    again = visit(admin, f"/repeat?to={PAGE}", ALPHA, form=SHORTER).text
    assert '<dd class="words">2d</dd>' in again
    assert "was_retention</dt>" not in again.lower()
    assert 'name="was_retention" value="none"' in again
    assert policy_of(admin).retention.seconds is None


def test_a_change_without_effect_says_so() -> None:
    form = {"unknown": "reject", "was_unknown": "accept"}
    answer = visit(hosting(), PAGE, ALPHA, form=form)
    assert answer.status_code == 200
    [note] = re.findall("Changed. Note: ([^<]*)<", answer.text)
    assert "unknown has no effect" in note
    assert "--" not in note


def test_a_domain_is_suspended_with_a_reason_and_resumed() -> None:
    admin = hosting()
    operator = user_of("alpha", GrantedRole.ACCOUNT_OPERATOR)
    form = {"reason": "not <paid>", "for": "2d", "while_suspended": "defer"}
    done = visit(admin, SUSPEND, operator, form=form, fresh_until=NOW - 1)
    assert done.status_code == 303
    suspension = policy_of(admin).suspension
    assert suspension is not None
    assert (suspension.reason, suspension.until) == ("not <paid>", NOW + 2 * DAY)
    text = visit(admin, PAGE, operator).text
    assert "not &lt;paid&gt;" in text
    assert "restante domain set alpha.example --hold until-asked" in text
    assert visit(admin, SUSPEND, operator, form={"resume": "yes"}).status_code == 303
    assert policy_of(admin).suspension is None


@pytest.mark.parametrize(
    "form", [{"reason": ""}, {"reason": "x", "for": "soon"}, {"reason": "x", "for": "9" * 19 + "w"}]
)
def test_a_suspension_that_is_wrong_says_why(form: dict[str, str]) -> None:
    admin = hosting()
    answer = visit(admin, SUSPEND, ALPHA, form=form)
    assert (answer.status_code, 'role="alert"' in answer.text) == (422, True)
    assert policy_of(admin).suspension is None


def test_others_change_nothing() -> None:
    admin = hosting()
    reader = user_of("alpha", GrantedRole.ACCOUNT_READER)
    assert "Your role does not change the policy" in visit(admin, PAGE, reader).text
    for path, form in ((PAGE, SHORTER), (SUSPEND, {"reason": "x"})):
        assert visit(admin, path, reader, form=form).status_code == 403
        assert visit(admin, path, BETA, form=form).status_code == 404
    assert visit(admin, PAGE, BETA).status_code == 404
