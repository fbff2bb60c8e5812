"""The form of a policy has the fields that somebody may set, and sends those that were changed."""

from urllib.parse import urlencode

import pytest

from restante.admin.admin_error import AdminError
from restante.admin.domain_change import DomainChange
from restante.admin.policy_change import PolicyView, changed_policy, policy_view
from restante.tenancy.grants import GrantedRole
from restante.tenancy.policy import DEFAULT_POLICY
from restante.tenancy.policy_settings import SETTINGS
from restante.web.portal.policy_fields import GROUPS, WAS, policy_groups, wanted_change
from restante.web.portal.portal_visit import FormValues
from tests.admin.admin_world import NOW
from tests.web.portal.visitors import ALPHA, OPERATOR, user_of


def policy(**fields: object) -> PolicyView:
    wanted = DomainChange.model_validate(fields)
    return policy_view(changed_policy("alpha.example", DEFAULT_POLICY, wanted, NOW), NOW)


def sent(**fields: tuple[str, str]) -> FormValues:
    """Return a form whose fields had a text, and have another."""
    pairs = [(name, now) for name, (_was, now) in fields.items()]
    pairs += [(WAS + name, was) for name, (was, _now) in fields.items()]
    return FormValues(urlencode(pairs))


def test_every_setting_with_a_place_of_its_own_has_a_field() -> None:
    labels = {name for fields in GROUPS.values() for name in fields}
    assert labels == {one.name for one in SETTINGS if one.path} | {"hold"}


def test_limits_are_for_operators_and_readers_get_no_field() -> None:
    assert list(policy_groups(OPERATOR, policy())) == list(GROUPS)
    assert list(policy_groups(ALPHA, policy())) == [one for one in GROUPS if one != "Limits"]
    for role in (GrantedRole.ACCOUNT_OPERATOR, GrantedRole.ACCOUNT_READER):
        assert policy_groups(user_of("alpha", role), policy()) == {}


def test_values_are_shown_as_options_of_the_command_take_them() -> None:
    shown = {
        one.name: (one.text, one.value)
        for fields in policy_groups(
            OPERATOR, policy(retention=30 * 86400.0, quota=10 * 2**30, at_end="bounce")
        ).values()
        for one in fields
    }
    assert shown["retention"] == ("30d", 30 * 86400)
    assert shown["quota"] == ("10G", 10 * 2**30)
    assert shown["at_end"] == ("bounce", "bounce")
    assert shown["quota_messages"] == ("none", 0)
    assert shown["change_lock"] == ("no", False)
    assert shown["hold"] == ("until-asked", "until-asked")


def test_what_was_typed_stays_in_its_field() -> None:
    groups = policy_groups(ALPHA, policy(), sent(retention=("none", "soon")))
    [one] = [one for one in groups["How long mail is kept"] if one.name == "retention"]
    assert (one.text, one.was) == ("soon", "none")


def test_only_fields_that_a_person_changed_are_part_of_the_change() -> None:
    wanted = wanted_change(
        sent(
            hold=("until-asked", "until-asked"),
            retention=("none", "14d"),
            quota=("none", "500M"),
            refused_retention=("14d", "none"),
            ignore_tags=("no", "yes"),
        )
    )
    assert wanted.model_dump(exclude_unset=True) == {
        "retention": 14 * 86400.0,
        "quota": 500 * 2**20,
        "refused_retention": 0.0,
        "ignore_tags": True,
    }


@pytest.mark.parametrize(
    ("name", "text"), [("retention", "soon"), ("quota", "much"), ("hold", "x"), ("probe", "")]
)
def test_a_text_that_cannot_be_read_is_refused_by_name(name: str, text: str) -> None:
    with pytest.raises(AdminError, match=name):
        wanted_change(sent(**{name: ("none", text)}))
