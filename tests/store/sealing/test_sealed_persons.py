"""A person is found in reports that are sealed, as far as they can be opened."""

import asyncio
from dataclasses import replace

from restante.store.memory import MemoryStore
from restante.store.person_store import PersonPlace
from restante.store.sealing.report_seals import ReportSeals
from restante.store.sealing.sealed_persons import SealedPersons
from restante.tenancy.person import read_person
from restante.tenancy.sealed_secrets import Vault
from tests.contract.making import ANNA, BERT, report

SEALS = ReportSeals(Vault(bytes(32)))
ABOUT_ANNA = f"Final-Recipient: rfc822; {ANNA}\r\n".encode()


def found(content: bytes, limit: int, *, damage: int = 0) -> list[list[int]]:
    """Return the keys of each slice of six reports, of which the even ones are sealed."""
    store = MemoryStore()
    for number in range(1, 7):
        one = replace(report(number, 1), content=content)
        store.state.reports.keep([SEALS.sealed(one) if number % 2 == 0 else one])
    persons = SealedPersons(store.persons, store.reports, SEALS)
    person = read_person(ANNA)

    async def run() -> list[list[int]]:
        if damage:
            kept = await store.reports.report(damage)
            assert kept is not None
            await store.reports.replace_report_contents(
                {damage: (kept.content, kept.content[:-1] + bytes([kept.content[-1] ^ 1]))}
            )
        slices, after = [], 0
        while True:
            page = await persons.find_person(PersonPlace.REPORTS, person, after, limit)
            slices.append([row.key for row in page.rows])
            if page.after is None:
                return slices
            after = page.after

    return asyncio.run(run())


def test_each_report_is_found_once_in_the_slice_of_its_number() -> None:
    assert found(ABOUT_ANNA, 2) == [[1, 2], [3, 4], [5, 6], []]
    assert found(ABOUT_ANNA, 4) == [[1, 2, 3, 4], [5, 6]]
    assert found(ABOUT_ANNA, 100) == [[1, 2, 3, 4, 5, 6]]


def test_reports_about_others_are_not_found() -> None:
    assert found(ABOUT_ANNA.replace(ANNA.encode(), BERT.encode()), 100) == [[]]


def test_a_report_that_does_not_open_is_left_out() -> None:
    assert found(ABOUT_ANNA, 100, damage=4) == [[1, 2, 3, 5, 6]]
