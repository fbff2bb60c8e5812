"""Read a Config from a TOML file and the environment, or report every error in them."""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from restante.config.config_file_search import candidates, found_config_file
from restante.config.config_problem import ConfigError, ConfigProblem
from restante.config.environment import overlay
from restante.config.file_stamp import FileSignature, signature
from restante.config.schema import Config
from restante.config.setting_places import ConfigSource, key_lines, key_name

_REMEDIES = {
    "restante": "{remedy}",
    "bool_parsing": "write true or false",
    "bool_type": "write true or false",
    "int_parsing": "write a whole number",
    "int_type": "write a whole number",
    "int_from_float": "write a whole number",
    "float_parsing": "write a number",
    "float_type": "write a number",
    "string_type": "write it in quotes",
    "path_type": "write it in quotes",
    "greater_than": "write more than {gt}",
    "greater_than_equal": "write {ge} or more",
    "less_than_equal": "write {le} or less",
    "literal_error": "write one of {expected}",
    "too_short": "add at least one",
}
_CAUSES = {
    "restante": "{cause}",
    "missing": "is not set",
    "extra_forbidden": "is not a setting",
    "model_type": "is not a table",
    "tuple_type": "is not a list",
    "list_type": "is not a list",
    "literal_error": "is not among its values",
    "too_short": "is empty",
    "bool_parsing": "is neither true nor false",
    "bool_type": "is neither true nor false",
    "int_parsing": "is not a whole number",
    "int_type": "is not a whole number",
    "int_from_float": "is not a whole number",
    "float_parsing": "is not a number",
    "float_type": "is not a number",
    "string_type": "is not text",
    "path_type": "is not text",
    "greater_than": "is too small",
    "greater_than_equal": "is too small",
    "less_than_equal": "is too large",
}


def find_config(given: Path | None, environ: Mapping[str, str]) -> Path:
    """Return the configuration file to use. Raises ConfigError if there is none."""
    if found := found_config_file(given, environ):
        return found
    looked = ", ".join(map(str, candidates(given, environ)))
    remedy = "pass --config FILE, set RESTANTE_CONFIG, or run `restante init --dir DIR`"
    raise ConfigError(
        [ConfigProblem("", "", f"no configuration file found (tried {looked})", remedy)]
    )


def load(given: Path | None = None, environ: Mapping[str, str] | None = None) -> Config:
    """Find, read and check the configuration. Raises ConfigError."""
    config, _ = load_with_warnings(given, environ)
    return config


def load_with_warnings(
    given: Path | None = None, environ: Mapping[str, str] | None = None
) -> tuple[Config, list[str]]:
    """Do the same, and also return what is odd in the environment."""
    environ = os.environ if environ is None else environ
    file = find_config(given, environ)
    seen = _seen(file)  # before the text: a change in between must look like one
    text = _read(file)
    values = _parse(file, text)
    used, strange = overlay(values, environ, Config)
    config = _validate(values, ConfigSource(file, key_lines(text), frozenset(used), seen))
    return config, [f"{name}: names no setting and is ignored; {_guess(name)}" for name in strange]


def _guess(variable: str) -> str:
    settings = [f"RESTANTE_{name}".upper() for name in Config.model_fields]
    close = _closest(variable.partition("__")[0], settings)
    return f"did you mean {close}?" if close else "unset it if it was meant for restante"


def _closest(name: str, names: Sequence[str]) -> str:
    """Return the one of the names that is most like this one; "" if none is."""
    from difflib import get_close_matches  # noqa: PLC0415  for mistakes only

    return next(iter(get_close_matches(name, names, n=1)), "")


def _seen(file: Path) -> FileSignature:
    try:
        return signature(file)
    except OSError:
        return ()


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        remedy = "let the user who starts restante read it, or name another by --config"
        raise ConfigError(
            [ConfigProblem(str(file), "", error.strerror or str(error), remedy)]
        ) from None
    except UnicodeDecodeError:
        raise ConfigError(
            [ConfigProblem(str(file), "", "is not UTF-8 text", "write it again in UTF-8")]
        ) from None


def _parse(file: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        line = place[1] if place else text.rstrip().count("\n") + 1  # "at end of document"
        where = f"{file}:{line}"
        cause = str(error).partition(" (at ")[0]
        cause = f"{cause[:1].lower()}{cause[1:]}"
        raise ConfigError(
            [
                ConfigProblem(
                    where, "", f"is not TOML: {cause}", "correct this line (https://toml.io)"
                )
            ]
        ) from None


def _validate(values: dict[str, Any], source: ConfigSource) -> Config:
    directory = source.file.parent if source.file else Path.cwd()
    try:
        config = Config.model_validate(values, context={"directory": directory})
    except ValidationError as error:
        raise ConfigError(list(_problems(error, source))) from None
    config._source = source  # noqa: SLF001  set once, by the one maker of a Config
    return config


def _problems(error: ValidationError, source: ConfigSource) -> Iterator[ConfigProblem]:
    for detail in error.errors(include_url=False):
        if not _only_follows(detail):
            yield _problem(detail, source)


def _only_follows(detail: ErrorDetails) -> bool:
    """Return whether an error only follows from others: a list lacks its invalid items."""
    return detail["type"] == "default_factory_not_called" or (
        detail["type"] == "too_short" and bool(detail["input"])
    )


def _problem(detail: ErrorDetails, source: ConfigSource) -> ConfigProblem:
    location, kind, context = detail["loc"], detail["type"], detail.get("ctx", {})
    if kind == "extra_forbidden":  # its value may be a secret put in the wrong place: not repeated
        return ConfigProblem(
            source.where(location), key_name(location), _CAUSES[kind], _similar(location)
        )
    cause = _CAUSES.get(kind, f"{detail['msg'][:1].lower()}{detail['msg'][1:]}").format(**context)
    if kind == "missing":
        return ConfigProblem(
            source.where(location),
            key_name(location),
            cause,
            f"add it, for example {_example(location)}",
        )
    remedy = _REMEDIES.get(kind, "see the reference of the configuration").format(**context)
    value = detail["input"] if isinstance(detail["input"], str | int | float | bool) else None
    if context.get("is_secret"):
        value = None
    return ConfigProblem(source.where(location), key_name(location), cause, remedy, value)


def _section_of(location: tuple[str | int, ...]) -> type[BaseModel] | None:
    """Return the section that the last part of a location is in, or should be."""
    section: Any = Config
    for part in location[:-1]:
        if isinstance(part, str):
            field = section.model_fields.get(part)
            section = _inner_section(field.annotation) if field else None
        if section is None:
            return None
    return section if isinstance(section, type) and issubclass(section, BaseModel) else None


def _inner_section(annotation: Any) -> Any:
    """Return the model that a field holds, alone or as items of a list."""
    inner = getattr(annotation, "__args__", None)
    return inner[0] if inner else annotation


def _similar(location: tuple[str | int, ...]) -> str:
    section = _section_of(location)
    names = list(section.model_fields) if section else []
    if close := _closest(str(location[-1]), names):
        return f"did you mean {key_name((*location[:-1], close))}?"
    return f"remove it; settings here are {', '.join(names)}" if names else "remove it"


def _example(location: tuple[str | int, ...]) -> str:
    section = _section_of(location)
    field = section.model_fields.get(str(location[-1])) if section else None
    if field and field.examples:
        return f'{location[-1]} = "{field.examples[0]}"'
    return f"[[{location[-1]}]]" if location[-1] == "listen" else f"[{location[-1]}]"
