"""Sessions of portal users as rows, and back. The factors are words with blanks between them."""

from dataclasses import astuple, replace

from restante.store.stored_form.row_type import Row
from restante.tenancy.session_record import SessionRecord
from restante.tenancy.sign_in_factor import known_factors

_FACTORS = 3  # its place


def session_row(session: SessionRecord) -> Row:
    """Spell a session in the order of its columns."""
    row = astuple(session)
    return (*row[:_FACTORS], " ".join(session.factors), *row[_FACTORS + 1 :])


def read_session(row: Row) -> SessionRecord:
    """Read back what `session_row` spelled."""
    return replace(SessionRecord(*row), factors=known_factors(row[_FACTORS].split()))
