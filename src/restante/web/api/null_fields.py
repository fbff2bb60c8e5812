"""Null in a change of a record: it clears a field that can be empty, and is refused for others.

A record that is read has null for a limit that is not set. So a client may send that back to remove
the limit. The functions of `admin` know these values as 0, "" or "never", and None as a field that
is not given.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from pydantic import BaseModel, BeforeValidator

from restante.admin.accounts import AccountChange
from restante.admin.channel_change import ChannelChange
from restante.admin.domain_change import DomainChange
from restante.admin.logins import LoginChange
from restante.admin.portal_users import PortalUserChange

_LIMITS: Final = {"quota": 0, "quota_messages": 0}
CLEARED_BY: Final[Mapping[type[BaseModel], Mapping[str, object]]] = {
    AccountChange: _LIMITS,
    ChannelChange: {},
    DomainChange: {
        **_LIMITS,
        "message_size": 0,
        "per_minute": 0,
        "retention": 0,
        "refused_retention": 0,
        "destination_login": "",
    },
    LoginChange: {"expires_at": "never"},
    PortalUserChange: {},
}


def clearing(model: type[BaseModel]) -> BeforeValidator:
    """Return the validator that gives null its meaning in a change of that form."""
    return BeforeValidator(_clearer(model))


def _clearer(model: type[BaseModel]) -> Callable[[Any], Any]:
    cleared_by = CLEARED_BY[model]

    def clear(body: Any) -> Any:
        if not isinstance(body, dict):
            return body
        nulls = [name for name in model.model_fields if name in body and body[name] is None]
        if wrong := [name for name in nulls if name not in cleared_by]:
            raise ValueError(f"{wrong[0]} cannot be null; leave it out to keep it as it is")
        return {**body, **{name: cleared_by[name] for name in nulls}}

    return clear


def describe_nulls(schemas: dict[str, Any]) -> None:
    """Write into a schema what null does in each field of a change."""
    for model, cleared_by in CLEARED_BY.items():
        for name, field in schemas[model.__name__]["properties"].items():
            if name in cleared_by:
                field["description"] = "null removes it"
            elif "anyOf" in field:
                _drop_null(field)


def _drop_null(field: dict[str, Any]) -> None:
    forms = [one for one in field.pop("anyOf") if one != {"type": "null"}]
    if len(forms) == 1:
        title = {"title": field["title"]} if "title" in field else {}
        rest = {name: value for name, value in field.items() if name not in ("title", "default")}
        field.clear()
        field.update(forms[0] | title | rest)
    else:
        field["anyOf"] = forms
        field.pop("default", None)
