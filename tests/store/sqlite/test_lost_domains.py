"""A domain of which only mail is left comes back under its name, suspended; so does an account."""

import pytest

from restante.store.sqlite import record_reading
from restante.store.sqlite.lost_domains import keep_domains
from restante.store.store_care import StoreFinding
from restante.tenancy.model import Directory
from tests.contract.making import ANNA, BERT
from tests.store.sqlite.tables import Tables


def kept(tables: Tables) -> tuple[list[StoreFinding], Directory]:
    """Make what is missing; return what is said of it, and all records."""
    return keep_domains(tables.connection), record_reading.directory(tables.connection)


@pytest.fixture
def tables() -> Tables:
    """Two domains, each with mail."""
    tables = Tables()
    tables.hold(1, tables.host(), ANNA, "BERT@Alpha.Example")
    tables.hold(2, tables.host("beta.example"), "x@beta.example", BERT)
    return tables


def test_where_nothing_is_missing_nothing_is_made(tables: Tables) -> None:
    found, directory = kept(tables)
    assert found == []
    assert directory.domains.keys() == {"alpha.example", "beta.example"}


def test_a_lost_domain_has_the_name_of_its_mail_and_hands_nothing_over(tables: Tables) -> None:
    tables.connection.execute("DELETE FROM domain WHERE id = 1")
    [finding], directory = kept(tables)
    domain = directory.domains["alpha.example"]
    assert (domain.id, domain.account, domain.destination.host) == (1, "salvaged", "192.0.2.1")
    assert domain.policy.suspension_at(1e12) is not None
    assert (finding.kind, finding.number) == ("domain", None)
    assert finding.text.startswith("alpha.example: its record was lost")
    assert keep_domains(tables.connection) == []


def test_a_name_that_another_domain_has_is_not_given_again(tables: Tables) -> None:
    tables.connection.execute("DELETE FROM domain WHERE id = 2")
    tables.connection.execute("UPDATE message SET held_paths = ? WHERE number = 2", (ANNA,))
    _, directory = kept(tables)
    assert directory.domains["salvaged-2.invalid"].id == 2


@pytest.mark.parametrize("paths", ["postmaster", ""])
def test_mail_that_names_no_domain_gives_a_name_that_none_can_have(
    tables: Tables, paths: str
) -> None:
    tables.connection.execute("DELETE FROM domain WHERE id = 1")
    tables.connection.execute("UPDATE message SET held_paths = ? WHERE number = 1", (paths,))
    _, directory = kept(tables)
    assert directory.domains["salvaged-1.invalid"].id == 1


def test_a_lost_account_is_made_for_its_domains(tables: Tables) -> None:
    tables.connection.execute("DELETE FROM account")
    [finding], directory = kept(tables)
    assert directory.accounts.keys() == {"alpha"}
    assert (finding.kind, finding.text.split(":")[0]) == ("account", "alpha")
