"""The pass of a drill: good for one domain and some minutes, and under one key."""

from restante.tenancy.drill_pass import drill_pass, is_drill_pass
from restante.tenancy.sealed_secrets import Vault

VAULT = Vault(bytes(32))
NOW = 1_800_000_000.0


def test_it_is_good_for_its_domain_under_its_key_and_for_some_minutes() -> None:
    given = drill_pass(VAULT, "a.example", NOW)
    assert is_drill_pass(VAULT, given, "a.example", NOW + 600)
    assert not is_drill_pass(VAULT, given, "b.example", NOW)
    assert not is_drill_pass(Vault(bytes([1] * 32)), given, "a.example", NOW)
    assert not is_drill_pass(VAULT, given, "a.example", NOW + 1800)


def test_a_former_key_makes_no_pass() -> None:
    rotated = Vault(bytes([1] * 32) + bytes(32))
    assert is_drill_pass(rotated, drill_pass(rotated, "a.example", NOW), "a.example", NOW)
    assert not is_drill_pass(rotated, drill_pass(VAULT, "a.example", NOW), "a.example", NOW)


def test_nothing_else_is_one() -> None:
    for text in ("", "drill-", "drill-ä", "drill-\udc80", "QQ314159"):
        assert not is_drill_pass(VAULT, text, "a.example", NOW)
