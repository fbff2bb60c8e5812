"""A setting of a policy is defined once: its row makes it appear everywhere."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import typer
from pydantic import ValidationError
from typer.testing import CliRunner

from restante.admin.admin_error import AdminError
from restante.admin.domain_change import DomainChange
from restante.admin.permissions import permit_fields
from restante.admin.policy_change import (
    PolicyFields,
    PolicyView,
    changed_policy,
    fields_model,
    policy_view,
    view_model,
)
from restante.cli.policy_options import policy_fields, policy_options
from restante.store.stored_form.policy_column import policy_text, read_policy
from restante.tenancy.policy import DEFAULT_POLICY, Policy
from restante.tenancy.policy_settings import (
    MADE_TOGETHER,
    SETTINGS,
    PolicySetting,
    SettingKind,
    changed_value,
    leaves,
    type_at,
    value_at,
    with_value,
)
from restante.tenancy.principal import account_login
from restante.tenancy.record_change import changes_between

COMMANDS = Path(__file__).parents[2] / "docs" / "reference" / "commands.md"
NOW = 1_760_000_000.0
BY_ITSELF = [one for one in SETTINGS if one.path]
LOGIN = account_login("alice", "alpha", "192.0.2.1")


@dataclass(frozen=True)
class LaterPolicy(Policy):
    """A policy of a later version, with one more value."""

    delay_octets: int | None = None


LATER_SETTING = PolicySetting(
    "delay_above", SettingKind.SIZE, "Hold back what is larger.", "delay_octets", is_limit=True
)


def other_value(setting: PolicySetting) -> Any:
    """Return a value of a setting, as in a request, that is not its default."""
    match setting.kind:
        case SettingKind.CHOICE:
            present = value_at(DEFAULT_POLICY, setting.path)
            return next(choice for choice in setting.choices if choice != present)
        case SettingKind.FLAG:
            return not value_at(DEFAULT_POLICY, setting.path)
    return 4321


def changed(setting: PolicySetting) -> Policy:
    """Return the default policy with another value, whatever contradicts it."""
    value = changed_value(DEFAULT_POLICY, setting, other_value(setting))
    policy: Policy = with_value(DEFAULT_POLICY, setting.path, value)
    return policy


def test_each_value_of_a_policy_has_one_setting() -> None:
    paths = [one.path for one in BY_ITSELF]
    assert sorted([*paths, *MADE_TOGETHER]) == sorted(leaves(Policy))
    assert len({one.name for one in SETTINGS}) == len(SETTINGS)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda one: one.name)
def test_a_setting_is_in_requests_views_options_and_the_reference(setting: PolicySetting) -> None:
    assert setting.name in DomainChange.model_fields
    assert setting.name in PolicyView.model_fields
    option = f"`--{setting.name.replace('_', '-')}"
    for command in ("domain add", "domain set"):
        section = COMMANDS.read_text().split(f"\n## restante {command}\n")[1].split("\n## ")[0]
        assert option in section


@pytest.mark.parametrize("setting", BY_ITSELF, ids=lambda one: one.name)
def test_a_change_is_made_stored_shown_and_audited(setting: PolicySetting) -> None:
    given = {setting.name: other_value(setting)}
    try:
        policy = changed_policy("a.example", DEFAULT_POLICY, _request(given), NOW)
    except AdminError:
        policy = changed(setting)  # it needs another setting too (tests/admin/test_policies.py)
    assert policy == changed(setting)
    assert read_policy(policy_text(policy)) == policy
    assert getattr(policy_view(policy, NOW), setting.name) == other_value(setting)
    assert [one.field for one in changes_between(DEFAULT_POLICY, policy)] == [setting.path]


def _request(given: dict[str, Any]) -> PolicyFields:
    return PolicyFields.model_validate(given)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda one: one.name)
def test_a_limit_is_for_operators(setting: PolicySetting) -> None:
    if setting.is_limit:
        with pytest.raises(AdminError):
            permit_fields(LOGIN, [setting.name])
    else:
        permit_fields(LOGIN, [setting.name])


@pytest.mark.parametrize(
    ("kind", "bad"),
    [
        (SettingKind.CHOICE, "no such choice"),
        (SettingKind.FLAG, "perhaps"),
        (SettingKind.SIZE, -1),
        (SettingKind.COUNT, -1),
        (SettingKind.AGE, -1),
        (SettingKind.TIME, "2026-12-01T00:00:00"),
        (SettingKind.TEXT, 7),
    ],
)
def test_a_request_is_checked_by_the_kind_of_each_setting(kind: SettingKind, bad: object) -> None:
    for setting in SETTINGS:
        if setting.kind is kind:
            with pytest.raises(ValidationError):
                _request({setting.name: bad})


@pytest.mark.parametrize("setting", BY_ITSELF, ids=lambda one: one.name)
def test_zero_takes_a_limit_away(setting: PolicySetting) -> None:
    if setting.kind in (SettingKind.SIZE, SettingKind.COUNT, SettingKind.AGE):
        policy = changed_policy("a.example", changed(setting), _request({setting.name: 0}), NOW)
        assert value_at(policy, setting.path) is None


def test_a_new_row_appears_everywhere() -> None:
    settings = [*SETTINGS, LATER_SETTING]
    request = fields_model(settings).model_validate({"delay_above": 7})
    assert getattr(request, "delay_above") == 7  # noqa: B009  the model is made at run time
    assert "delay_above" in view_model(settings).model_fields
    assert type_at(LaterPolicy, "delay_octets") == int | None
    later = with_value(
        LaterPolicy(), "delay_octets", changed_value(LaterPolicy(), LATER_SETTING, 7)
    )
    assert later == replace(LaterPolicy(), delay_octets=7)
    assert [one.field for one in changes_between(LaterPolicy(), later)] == ["delay_octets"]
    shown = dict(policy_view(DEFAULT_POLICY, NOW)) | {"delay_above": 2048}
    lines = dict(policy_fields({"policy": shown}, settings))
    assert lines["delay above"] == "2.0 KiB"


def test_a_new_row_is_an_option_with_its_help() -> None:
    got: list[int | None] = []

    def command(delay_above: Any = None) -> None:
        got.append(delay_above)

    command.__annotations__ = {"delay_above": policy_options([LATER_SETTING])["delay_above"]}
    program = typer.Typer(rich_markup_mode=None)
    program.command()(command)
    helped = CliRunner().invoke(program, ["--help"]).output
    assert "--delay-above SIZE" in helped
    assert "Hold back what is larger." in helped
    for text, value in (("4K", 4096), ("none", 0)):
        assert CliRunner().invoke(program, ["--delay-above", text]).exit_code == 0
        assert got.pop() == value
