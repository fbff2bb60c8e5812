"""The data of a person in a sealed store: reports are opened to find an address in them."""

from collections.abc import Sequence
from operator import attrgetter

from restante.mail.delivery_report import Report
from restante.store.person_store import PersonalRow, PersonalRows, PersonPlace, PersonStore
from restante.store.report_store import ReportStore
from restante.store.sealing.report_seals import ReportSeals
from restante.tenancy.person import Person
from restante.tenancy.sealed_secrets import SealBroken


class SealedPersons:
    """A `PersonStore` that finds a person in sealed reports too.

    Nothing else that can name a person is sealed. An erasure changes no report.
    """

    def __init__(self, below: PersonStore, reports: ReportStore, seals: ReportSeals) -> None:
        self._below = below
        self._reports = reports
        self._seals = seals
        self.erase_person = below.erase_person
        self.begin_erasure = below.begin_erasure
        self.end_erasure = below.end_erasure

    async def find_person(
        self, place: PersonPlace, person: Person, after: int, limit: int
    ) -> PersonalRows:
        """Look at the next `limit` rows of a place beyond `after`, in the order of their keys."""
        found = await self._below.find_person(place, person, after, limit)
        if place is not PersonPlace.REPORTS:
            return found
        known = {row.key for row in found.rows}
        more = [
            _row(one)
            for one in await self._sealed(after, limit, found)
            if one.number not in known and self._names(person, one)
        ]
        rows = sorted([*found.rows, *more], key=attrgetter("key"))
        return PersonalRows(rows, found.looked_at, found.after)

    async def _sealed(self, after: int, limit: int, slice_: PersonalRows) -> Sequence[Report]:
        """Return the sealed reports of a slice, of which no more than `limit` are sealed."""
        reports = await self._reports.sealed_reports(after, limit)
        last = slice_.after
        return [one for one in reports if last is None or one.number <= last]

    def _names(self, person: Person, report: Report) -> bool:
        try:
            content = self._seals.opened(report).content
        except SealBroken:
            return False  # nobody can read it
        return person.is_named_in(content.decode(errors="replace"))


def _row(report: Report) -> PersonalRow:
    return PersonalRow(
        report.number,
        {
            "reverse_path": report.reverse_path,
            "reply": report.reply,
            "domain_id": report.domain_id,
            "made_at": report.made_at,
        },
    )
