"""Settings from the environment: the values that they make, and the names that are wrong."""

from typing import Any

import pytest

from restante.config.config_problem import ConfigError
from restante.config.environment import overlay
from restante.config.schema import Config


def overlaid(values: dict[str, Any], **environ: str) -> dict[str, Any]:
    overlay(values, environ, Config)
    return values


@pytest.mark.parametrize(
    ("variable", "text", "made"),
    [
        ("RESTANTE_HOSTNAME", "mx2.example", {"hostname": "mx2.example"}),
        ("RESTANTE_TLS__MINIMUM", "1.3", {"tls": {"minimum": "1.3"}}),
        ("RESTANTE_TLS__CERTIFICATE", "a.pem", {"tls": {"certificate": "a.pem"}}),
        ("RESTANTE_TLS__CERTIFICATE", '["a.pem"]', {"tls": {"certificate": ["a.pem"]}}),
        ("RESTANTE_TLS", '{"minimum": "1.3"}', {"tls": {"minimum": "1.3"}}),
        ("RESTANTE_LISTEN", "[]", {"listen": []}),
        ("RESTANTE_RESOLVER__NAMESERVERS", '["::1"]', {"resolver": {"nameservers": ["::1"]}}),
        ("RESTANTE_TLS__MINIMUN", "[1", {"tls": {"minimun": "[1"}}),  # the schema refuses the name
        ("RESTANTE_CONFIG", "x.toml", {}),
        ("PATH", "/bin", {}),
    ],
)
def test_a_variable_is_a_setting(variable: str, text: str, made: dict[str, Any]) -> None:
    assert overlaid({}, **{variable: text}) == made


def test_a_variable_replaces_the_setting_of_the_file_and_no_other() -> None:
    values: dict[str, Any] = {"user": "mail", "tls": {"minimum": "1.2", "key": "k.pem"}}
    assert overlaid(values, RESTANTE_TLS__MINIMUM="1.3") == {
        "user": "mail",
        "tls": {"minimum": "1.3", "key": "k.pem"},
    }


def test_variables_are_told_apart_by_whether_they_name_a_setting() -> None:
    environ = {"RESTANTE_USER": "mail", "RESTANTE_USR": "mail", "RESTANTE_": "", "USER": "root"}
    values: dict[str, Any] = {}
    assert overlay(values, environ, Config) == ({"RESTANTE_USER"}, ["RESTANTE_", "RESTANTE_USR"])
    assert values == {"user": "mail"}


@pytest.mark.parametrize(
    ("variable", "text", "problem"),
    [
        ("RESTANTE_LISTEN", "mx", "is not JSON; write lists and tables so"),
        ("RESTANTE_TLS", "", "is not JSON"),
        ("RESTANTE_RESOLVER__NAMESERVERS", "::1", "is not JSON"),
        ("RESTANTE_USER__NAME", "x", "user has no named keys; set the whole of it as JSON in"),
    ],
)
def test_text_that_cannot_be_read_is_refused(variable: str, text: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem) as caught:
        overlaid({"user": "mail"}, **{variable: text})
    assert [one.where for one in caught.value.problems] == [variable]
