"""A configuration as TOML is read back as the same."""

import tomllib
from pathlib import Path

import pytest

from restante.config.config_text import as_toml
from restante.config.load import load
from tests.config.files import installed


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"RESTANTE_RESOLVER__NAMESERVERS": '["::1", "192.0.2.1:5353"]'},
        {"RESTANTE_USER": 'a "quoted\\" name\n\t\x7fü'},
        {"RESTANTE_LISTEN": '[{"service": "mx", "address": "[::1]:25", "tls_minimum": "1.3"}]'},
        {"RESTANTE_LOG__STYLE": "json", "RESTANTE_UVLOOP": "false"},
        {"RESTANTE_TLS__NAMES": '[{"certificate": "a.pem", "key": "a-key.pem"}]'},
    ],
)
def test_it_is_read_back_as_the_same(tmp_path: Path, environ: dict[str, str]) -> None:
    first = load(installed(tmp_path), environ)
    again = tmp_path / "again.toml"
    again.write_text(as_toml(first))
    assert load(again, {}).model_dump() == first.model_dump()


def test_it_has_each_setting_that_has_a_value(tmp_path: Path) -> None:
    config = load(installed(tmp_path), {})
    written = tomllib.loads(as_toml(config))
    assert written == config.model_dump(mode="json", exclude_none=True)
    assert "reception" in written
