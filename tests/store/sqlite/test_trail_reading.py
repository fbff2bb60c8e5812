"""The audit trail is read by pages."""

from restante.store.sqlite import record_changes, trail_reading
from restante.tenancy.audit import AuditFilter
from tests.contract.making import NOTED
from tests.store.sqlite.tables import Tables


def test_the_trail_is_read_by_pages_to_its_end() -> None:
    tables = Tables()
    tables.host()
    tables.change(record_changes.record, [NOTED] * 5)
    wanted = AuditFilter(since=0.5)
    sizes, before = [], None
    while True:
        page = trail_reading.audit_page(tables.connection, wanted, 2, before)
        sizes.append(len(page.entries))
        if page.before is None:
            break
        before = page.before
    assert sizes[:-1] == [2] * (len(sizes) - 1)
    assert sum(sizes) == len(tables.rows("SELECT 1 FROM audit WHERE at >= 0.5"))
