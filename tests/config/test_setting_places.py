"""The place of each setting: a line of the file, or a variable."""

from pathlib import Path

import pytest

from restante.config.setting_places import (
    ConfigSource,
    SettingLocation,
    key_lines,
    key_name,
    variable_name,
)


def test_the_lines_of_keys_are_found() -> None:
    lines = key_lines(
        'a = 1\n\n[b]\n"c d" = 2 # x = 3\ne.f = 4\n[[g]]\nh = 5\n[[g]]\nh = 6\n[ b.i ]\nj ='
        ' """\n"""\n'
    )
    assert lines[("a",)] == 1
    assert lines[("b", "c d")] == 4
    assert lines[("b", "e", "f")] == 5
    assert lines[("g", 1, "h")] == 9
    assert lines[("b", "i", "j")] == 11


@pytest.mark.parametrize(
    ("location", "name", "variable"),
    [
        (("hostname",), "hostname", "RESTANTE_HOSTNAME"),
        (("tls", "minimum"), "tls.minimum", "RESTANTE_TLS__MINIMUM"),
        (("listen", 0, "address"), "listen[0].address", "RESTANTE_LISTEN__0__ADDRESS"),
    ],
)
def test_a_setting_has_a_name_and_a_variable(
    location: SettingLocation, name: str, variable: str
) -> None:
    assert key_name(location) == name
    assert variable_name(location) == variable


SOURCE = ConfigSource(
    Path("/r.toml"),
    {("tls",): 3, ("tls", "minimum"): 4, ("listen", 1): 9},
    frozenset({"RESTANTE_TLS__KEY", "RESTANTE_LOG"}),
)


@pytest.mark.parametrize(
    ("location", "where"),
    [
        (("tls", "minimum"), "/r.toml:4"),
        (("tls", "certificate"), "/r.toml:3"),  # the table that misses it
        (("tls", "certificate", 0), "/r.toml:3"),
        (("listen", 1, "address"), "/r.toml:9"),
        (("listen", 0, "address"), "/r.toml"),
        (("tls", "key", 1), "RESTANTE_TLS__KEY"),
        (("log", "style"), "RESTANTE_LOG"),
        (("hostname",), "/r.toml"),
    ],
)
def test_a_setting_is_where_it_or_the_table_around_it_is(
    location: SettingLocation, where: str
) -> None:
    assert SOURCE.where(location) == where


def test_a_configuration_without_a_file_has_no_place() -> None:
    assert ConfigSource().where(("hostname",)) == "configuration"
