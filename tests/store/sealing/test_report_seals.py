"""A sealed report opens as that report only, under a key of the key file."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.mail.delivery_report import NewReport, Report, ReportAction
from restante.mail.sealed_size import REPORT_EXTRA
from restante.store.sealing.report_seals import ReportSeals
from restante.tenancy.sealed_secrets import SealBroken, Vault
from tests.contract.making import report

OLD, NEW = bytes(32), b"\1" * 32
SEALS = ReportSeals(Vault(OLD))


def stored(new: NewReport) -> Report:
    """Return a report as a store gives it back."""
    return Report(
        9,
        new.about,
        new.domain_id,
        new.action,
        new.reverse_path,
        new.content,
        new.made_at,
        new.is_8bit,
        new.needs_smtputf8,
        is_sealed=new.is_sealed,
    )


PLAIN = report(7, 3)
SEALED = stored(SEALS.sealed(PLAIN))


@given(st.binary(max_size=300))
def test_a_report_opens_as_it_was(content: bytes) -> None:
    new = replace(PLAIN, content=content)
    sealed = stored(SEALS.sealed(new))
    assert sealed.is_sealed
    assert len(sealed.content) == len(content) + REPORT_EXTRA
    assert SEALS.opened(sealed) == stored(new)


def test_the_same_report_is_never_sealed_alike() -> None:
    assert SEALS.sealed(PLAIN) != SEALS.sealed(PLAIN)
    assert PLAIN.content not in SEALED.content


def test_a_report_that_was_not_sealed_is_as_it_was() -> None:
    assert SEALS.opened(stored(PLAIN)) == stored(PLAIN)


@pytest.mark.parametrize(
    "other",
    [
        replace(SEALED, about=8),
        replace(SEALED, domain_id=4),
        replace(SEALED, action=ReportAction.DELAYED),
        replace(SEALED, reverse_path="eve@example.org"),
        replace(SEALED, is_8bit=True),
        replace(SEALED, needs_smtputf8=True),
    ],
)
def test_its_content_does_not_open_as_that_of_another_report(other: Report) -> None:
    with pytest.raises(SealBroken, match="its seal is broken"):
        SEALS.opened(other)


@given(st.data())
def test_a_report_that_was_changed_or_cut_does_not_open(data: st.DataObject) -> None:
    content = SEALED.content
    place = data.draw(st.integers(0, len(content) - 1))
    changed = bytearray(content)
    changed[place] ^= 1 << data.draw(st.integers(0, 7))
    for wrong in (bytes(changed), content[:place]):
        with pytest.raises(SealBroken):
            SEALS.opened(replace(SEALED, content=wrong))


def test_another_key_opens_nothing_and_a_former_one_all() -> None:
    other, rotated = ReportSeals(Vault(NEW)), ReportSeals(Vault(NEW + OLD))
    assert not other.has_key_of(SEALED)
    for read in (other.opened, other.sealed_again):
        with pytest.raises(SealBroken, match="cannot be opened with this key file"):
            read(SEALED)
    assert rotated.has_key_of(SEALED)
    assert rotated.opened(SEALED) == stored(PLAIN)


def test_a_report_is_sealed_again_once_and_needs_no_former_key_then() -> None:
    rotated = ReportSeals(Vault(NEW + OLD))
    again = replace(SEALED, content=rotated.sealed_again(SEALED))
    assert ReportSeals(Vault(NEW)).opened(again) == stored(PLAIN)
    assert rotated.sealed_again(again) == again.content
    with pytest.raises(SealBroken):
        SEALS.opened(again)
