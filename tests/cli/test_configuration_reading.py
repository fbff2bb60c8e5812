"""Files become entries: values as the options take them, places, and other files."""

import json
from pathlib import Path
from typing import Any

import pytest

from restante.cli.configuration_reading import (
    ADDRESSES_AT_ONCE,
    ReadConfiguration,
    read_configuration,
    request_lines,
)


def read(text: str, form: str = "toml", base: Path = Path()) -> ReadConfiguration:
    return read_configuration(text, form, "x", base)


def fields(assignment: str, base: Path = Path()) -> dict[str, Any]:
    found = read(f"[[domain]]\nname = 'd'\n{assignment}", base=base)
    assert found.problems == []
    return found.entries[0]


@pytest.mark.parametrize(
    ("assignment", "key", "value"),
    [
        ('quota = "10G"', "quota", 10 * 1024**3),
        ("quota = 5", "quota", 5),
        ('quota = "none"', "quota", 0),
        ('quota_messages = "none"', "quota_messages", 0),
        ('per_minute = "60"', "per_minute", 60),
        ('retention = "30d"', "retention", 30 * 86400),
        ('refused_retention = "none"', "refused_retention", 0),
        ("until = 2026-12-01", "until", "2026-12-01T00:00:00+00:00"),
        ("until = 2026-12-01T01:02:03", "until", "2026-12-01T01:02:03+00:00"),
        ("until = 2026-12-01T01:02:03+02:00", "until", "2026-12-01T01:02:03+02:00"),
        ('until = "2026-12-01"', "until", "2026-12-01T00:00:00+00:00"),
        ("ignore_tags = true", "ignore_tags", True),
        ('allow = ["a.example"]', "allow", ["a.example"]),
        ('tls_ca = "/etc/ca.pem"', "tls_ca", "/etc/ca.pem"),
        ('tls_ca = ""', "tls_ca", ""),
    ],
)
def test_values_are_as_the_options_take_them(assignment: str, key: str, value: object) -> None:
    assert fields(assignment)[key] == value


def test_values_in_other_files_are_found_from_the_file(tmp_path: Path) -> None:
    (tmp_path / "p").write_text("correct horse\nmore\n")
    (tmp_path / "a").write_text("# all\nanna\n\ncarl # the other\n")
    assert fields("password_file = 'p'", tmp_path)["password"] == "correct horse"
    assert fields("addresses_file = 'a'", tmp_path)["addresses"] == ["anna", "carl"]
    assert fields("tls_ca = 'ca.pem'", tmp_path)["tls_ca"] == str(tmp_path / "ca.pem")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("quota = 'much'", "x:1: domain d: quota: 'much' is not a size"),
        ("retention = '3 days'", "x:1: domain d: retention: '3 days' is not an age"),
        ("per_minute = 'x'", "x:1: domain d: per_minute: 'x' is not a number"),
        ("until = 'soon'", "x:1: domain d: until: 'soon' is not a time"),
        ("until = 10:00:00", "x:1: domain d: until: is not a time"),
        ("password_file = 'none'", "x:1: domain d: password_file: none: No such file"),
        ("password_file = 5", "x:1: domain d: password_file: is not the name of a file"),
        ("key = 'a'\nkey_file = '/dev/null'", "key_file: /dev/null: is empty"),
        ("password = 'a'\npassword_file = 'f'", "password: is given twice"),
    ],
)
def test_a_value_that_cannot_be_read_is_told(text: str, problem: str, tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x\n")
    found = read(f"[[domain]]\nname = 'd'\n{text}", base=tmp_path)
    assert found.entries == []
    assert problem in found.problems[0].replace(f"{tmp_path}/none", "none")


@pytest.mark.parametrize(
    ("text", "form", "problem"),
    [
        ("[[x", "toml", "x: Expected"),
        ("{", "json", "x: Expecting"),
        ("[]", "json", "x: is not an object"),
        ("name = 1", "toml", "x:1: name: is unknown; it has [[account]], [[login]]"),
        ("[account]\nname = 'a'", "toml", "x:1: account: is not a list; write [[account]]"),
        ('{"account": [1]}', "json", "x: account: is not a list"),
        ("a,b\n", "csv", "x:1: its header lacks columns"),
        ("", "csv", "x:1: its header lacks columns"),
        ("account,domain\na\n", "csv", "x:2: lacks its account or domain"),
        ("account,domain\na,b,c\n", "csv", "x:2: has more cells than the header"),
        ('account,domain\n"a,b', "csv", "x:2: a quote is not closed; end the field with"),
        ("x = " + "[" * 20_000, "toml", "x: is nested too deeply; write flat TOML"),
        ("[" * 200_000, "json", "x: is nested too deeply; write flat JSON"),
        ("account,domain,password\na,d,secret\n", "csv", "x:2: a password is for one login"),
        ("account,domain,ignore_tags\na,d,maybe\n", "csv", "'maybe' is neither yes nor no"),
        ("account,domain,quota\na,d,much\n", "csv", "x:2: domain d: quota: 'much' is not a size"),
        ("account,domain,note\na,d,x\na,e,y\n", "csv", "x:3: account a: has another note"),
        (
            "account,domain,login,password\na,d,u,password1\na,e,u,password2\n",
            "csv",
            "x:3: login u: has another password before",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_told_by_its_line(text: str, form: str, problem: str) -> None:
    assert problem in read(text, form).problems[0]


def test_places_are_lines_of_the_file() -> None:
    found = read("# first\n[[account]]\nname = 'a'\n\n[[account]]\nname = 'b'\n")
    assert [entry["place"] for entry in found.entries] == ["x:2", "x:5"]


def test_json_has_the_tables_of_toml() -> None:
    text = json.dumps({"account": [{"name": "a", "quota": "1K"}], "domain": []})
    assert read(text, "json").entries == [
        {"thing": "account", "place": "x", "name": "a", "quota": 1024}
    ]


def test_rows_of_csv_share_accounts_and_logins() -> None:
    found = read(
        " account , domain,login,note,allow,tls_pins,ignore_tags,connections,quota\n"
        "a,one.example,u v,new,10.0.0.1 h.example,,yes,5,1G\n"
        "a,two.example,u,,,,no,,none\n",
        "csv",
    )
    assert found.problems == []
    assert [(one["thing"], one.get("name") or one["user"]) for one in found.entries] == [
        ("account", "a"),
        ("login", "u"),
        ("login", "v"),
        ("domain", "one.example"),
        ("domain", "two.example"),
    ]
    assert found.entries[0]["note"] == "new"
    assert found.entries[3] | {"place": ""} == {
        "thing": "domain",
        "place": "",
        "account": "a",
        "name": "one.example",
        "allow": ["10.0.0.1", "h.example"],
        "ignore_tags": True,
        "connections": 5,
        "quota": 1024**3,
    }
    assert found.entries[4]["quota"] == 0


def test_a_long_list_is_sent_in_several_lines() -> None:
    addresses = [f"user{number}" for number in range(2 * ADDRESSES_AT_ONCE + 1)]
    entry = {"thing": "domain", "name": "d", "place": "x:1", "addresses": addresses}
    sent = [json.loads(line) for line in request_lines([entry])]
    assert [one["thing"] for one in sent] == ["domain", "addresses", "addresses"]
    assert [name for one in sent for name in one["addresses"]] == addresses
    assert all(len(line) < 2**18 for line in request_lines([entry]))


def test_an_apostrophe_in_front_of_a_password_belongs_to_it() -> None:
    text = "account,domain,login,password,note\na,d,u,'=secret,'=note\n"
    found = read_configuration(text, "csv", "x", Path())
    kept = {one["thing"]: one for one in found.entries}
    assert kept["login"]["password"] == "'=secret"
    assert kept["account"]["note"] == "=note"
