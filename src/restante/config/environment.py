"""Read settings from the environment: `RESTANTE_TLS__MINIMUM=1.3` sets `minimum` in `[tls]`.

Lists and tables are JSON. A setting that takes one value or a list also takes the value as plain
text.

A variable that names no section causes a warning only, because other programs may use the prefix.
A wrong key of a section is an error, as it is in the file.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from restante.config.config_problem import ConfigError, ConfigProblem
from restante.config.one_or_more import ONE_OR_MORE, read_plain_or_json
from restante.config.setting_places import ENVIRONMENT_NESTING, ENVIRONMENT_PREFIX

NOT_SETTINGS = frozenset({"RESTANTE_CONFIG"})


def overlay(
    values: dict[str, Any], environ: Mapping[str, str], schema: type[BaseModel]
) -> tuple[set[str], list[str]]:
    """Apply the environment to `values`. Return the variables used, and the unknown ones."""
    used: set[str] = set()
    strange: list[str] = []
    for variable, path in _settings_in(environ):
        if path[0] not in schema.model_fields:
            strange.append(variable)
            continue
        _put(values, path, _read(variable, path, environ[variable], schema), variable)
        used.add(variable)
    return used, strange


def _settings_in(environ: Mapping[str, str]) -> Iterator[tuple[str, list[str]]]:
    for variable in sorted(environ):
        if variable.startswith(ENVIRONMENT_PREFIX) and variable not in NOT_SETTINGS:
            yield (
                variable,
                variable.removeprefix(ENVIRONMENT_PREFIX).lower().split(ENVIRONMENT_NESTING),
            )


def _read(variable: str, path: list[str], text: str, schema: type[BaseModel]) -> Any:
    field = _field(path, schema)
    if field is not None and ONE_OR_MORE in field.metadata:
        return read_plain_or_json(text)
    annotation = field.annotation if field else None
    if not _is_section(annotation) and get_origin(annotation) not in {tuple, list}:
        return text
    try:
        return json.loads(text)
    except ValueError:
        remedy = f"""write lists and tables so, for example {variable}='["one", "two"]'"""
        raise ConfigError([ConfigProblem(variable, "", "is not JSON", remedy)]) from None


def _field(path: list[str], schema: type[BaseModel]) -> FieldInfo | None:
    """Return the setting of that name, if there is one."""
    field: FieldInfo | None = None
    annotation: Any = schema
    for name in path:
        field = annotation.model_fields.get(name) if _is_section(annotation) else None
        annotation = field.annotation if field else None
    return field


def _is_section(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _put(values: dict[str, Any], path: list[str], value: Any, variable: str) -> None:
    table: Any = values
    for name in path[:-1]:
        table = table.setdefault(name, {})
        if not isinstance(table, dict):
            remedy = f"set the whole of it as JSON in {ENVIRONMENT_PREFIX}{name.upper()}"
            raise ConfigError([ConfigProblem(variable, "", f"{name} has no named keys", remedy)])
    table[path[-1]] = value
