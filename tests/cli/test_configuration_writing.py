"""Entries become files that read back as the same entries."""

import csv
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.cli.configuration_reading import read_configuration
from restante.cli.configuration_writing import (
    as_csv,
    as_document,
    entries_as_toml,
    joined,
    readable_value,
)
from restante.mail.octets import octets_text, read_octets

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=9)


@given(st.lists(st.dictionaries(st.sampled_from(["name", "note", "reason"]), texts), max_size=3))
def test_any_text_comes_back_from_toml(records: list[dict[str, str]]) -> None:
    entries = [{"thing": "account", **record} for record in records]
    assert tomllib.loads(entries_as_toml(entries)).get("account", []) == records


@given(st.integers(1, 2**60))
def test_any_size_comes_back(size: int) -> None:
    assert read_octets(octets_text(size)) == size
    assert read_octets(octets_text(size * 1024)) == size * 1024


def test_sizes_and_ages_have_the_largest_unit_that_fits() -> None:
    assert [readable_value("quota", one) for one in (0, 1, 1536, 10 * 1024**3)] == [
        "none",
        "1",
        "1536",
        "10G",
    ]
    ages = (0, 90.0, 3600.0, 86400.0, 60.0, 0.5)
    assert [readable_value("retention", one) for one in ages] == [
        "none",
        "90s",
        "1h",
        "1d",
        "1m",
        0.5,
    ]
    assert readable_value("connections", 0) == 0


def test_addresses_that_follow_a_domain_are_part_of_it() -> None:
    domain: dict[str, Any] = {"thing": "domain", "name": "d", "account": "a"}
    more = {"thing": "addresses", "name": "d", "addresses": ["x"]}
    assert joined([domain, more, more, {"thing": "channel", "name": "c"}]) == [
        {**domain, "addresses": ["x", "x"]},
        {"thing": "channel", "name": "c"},
    ]


def test_times_are_times_of_toml() -> None:
    text = entries_as_toml([{"thing": "domain", "until": "2026-12-01T00:00:00Z", "reason": "2026"}])
    assert text == '[[domain]]\nuntil = 2026-12-01T00:00:00Z\nreason = "2026"\n'
    odd = entries_as_toml([{"thing": "domain", "until": "x\n"}])
    assert odd == '[[domain]]\nuntil = "x\\n"\n'


def test_no_entries_are_an_empty_file() -> None:
    assert entries_as_toml([]) == ""
    assert as_csv([]) == "account,domain,login,destination,allow\n"
    assert as_document([]) == {"account": [], "login": [], "domain": [], "channel": []}


def test_csv_comes_back_as_the_same_domains() -> None:
    entries: list[dict[str, Any]] = [
        {"thing": "account", "name": "a", "note": "one, two"},
        {"thing": "login", "user": "u", "account": "a"},
        {"thing": "login", "user": "v", "account": "a"},
        {"thing": "domain", "name": "d", "account": "a", "allow": ["x", "y"], "ignore_tags": True},
        {"thing": "domain", "name": "e", "account": "a", "retention": "1d"},
    ]
    text = as_csv(entries)
    assert (
        text.splitlines()[0] == "account,domain,login,destination,allow,ignore_tags,note,retention"
    )
    found = read_configuration(text, "csv", "x", Path())
    assert found.problems == []
    kept = [{key: one[key] for key in one if key != "place"} for one in found.entries]
    assert kept == [*entries[:4], {**entries[4], "retention": 86400}]


@pytest.mark.parametrize("note", ['=HYPERLINK("https://x.example")', "-1", "'=1", "@x", "'x'"])
def test_a_note_is_no_formula_of_a_spreadsheet_and_comes_back(note: str) -> None:
    entries: list[dict[str, Any]] = [
        {"thing": "account", "name": "a", "note": note},
        {"thing": "domain", "name": "d", "account": "a"},
    ]
    text = as_csv(entries)
    [row] = csv.DictReader(text.splitlines())
    assert not row["note"].startswith(("=", "+", "-", "@"))
    found = read_configuration(text, "csv", "x", Path())
    assert found.entries[0]["note"] == note
