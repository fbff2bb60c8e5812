"""The policy of MTA-STS: how it is read, and which hosts it covers."""

import pytest

from restante.readiness.mta_sts import (
    LONGEST_AGE,
    StsPolicy,
    announced_id,
    announces_sts,
    read_sts_policy,
)

TEXT = (
    "version: STSv1\r\nmode: enforce\r\nmx: mail.a.example\r\nmx: *.b.example\r\nmax_age: 86400\r\n"
)


def test_a_policy_is_read() -> None:
    assert read_sts_policy(TEXT) == StsPolicy("enforce", ("mail.a.example", "*.b.example"), 86400)


@pytest.mark.parametrize("text", ["", "mode: enforce\n", "version: STSv2\nmode: none\n"])
def test_a_text_without_the_version_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="version"):
        read_sts_policy(text)


def test_the_first_of_a_repeated_field_counts() -> None:
    text = "version: STSv1\nmode: testing\nmode: enforce\nmax_age: 0\n"
    assert read_sts_policy(text).mode == "testing"
    with pytest.raises(ValueError, match="mode"):
        read_sts_policy("version: STSv1\nmode: strict\n")


@pytest.mark.parametrize("age", ["", "-1", "\u0661", "1.5", str(LONGEST_AGE + 1), "9" * 5000])
def test_a_policy_without_a_valid_age_is_none(age: str) -> None:
    with pytest.raises(ValueError, match="max_age"):
        read_sts_policy(f"version: STSv1\nmode: enforce\nmx: a.example\nmax_age: {age}\n")


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (("v=STSv1; id=20261130T1;",), "20261130T1"),
        (("v=STSv1; id=a b",), ""),
        (("v=STSv1;",), ""),
        (("v=STSv1; id=1", "v=STSv1; id=2"), ""),
    ],
)
def test_the_id_tells_one_policy_from_the_next(texts: tuple[str, ...], found: str) -> None:
    assert announced_id(texts) == found


@pytest.mark.parametrize(
    ("host", "is_covered"),
    [
        ("mail.a.example", True),
        ("MAIL.A.example.", True),
        ("mx2.a.example", False),
        ("mx2.b.example", True),
        ("deep.mx2.b.example", False),  # one label only (RFC 8461 §4.1)
        ("b.example", False),
    ],
)
def test_a_pattern_stands_for_one_label(host: str, is_covered: bool) -> None:
    assert read_sts_policy(TEXT).covers(host) is is_covered


@pytest.mark.parametrize(
    ("texts", "is_announced"),
    [
        (("v=STSv1; id=1",), True),
        (("other", "v=STSv1; id=1"), True),
        (("v=STSv1; id=1", "v=STSv1; id=2"), False),  # two are none (RFC 8461 §3.1)
        (("v=STSv12; id=1",), False),
        ((), False),
    ],
)
def test_one_record_announces_a_policy(texts: tuple[str, ...], is_announced: bool) -> None:
    assert announces_sts(texts) is is_announced
