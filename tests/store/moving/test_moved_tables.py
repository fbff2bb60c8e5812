"""The list of tables; test_all_tables.py compares it with those of both stores."""

from restante.store.moving.moved_tables import ID_COLUMNS, MESSAGES, MOVED, NUMBERED


def test_a_key_is_taken_from_a_row() -> None:
    [table] = [one for one in MOVED if one.name == "recipient"]
    assert table.key_of((7, "list", "anna", 1, 2.5)) == (7, "list", "anna")


def test_small_tables_come_first_so_that_their_faults_are_met_soon() -> None:
    assert MOVED[-1] is MESSAGES


def test_ids_are_the_keys_of_their_tables() -> None:
    assert ID_COLUMNS.keys() == set(NUMBERED)
    assert (ID_COLUMNS["report"], ID_COLUMNS["domain"]) == ("number", "id")
