"""A table of the configuration file."""

import pytest
from pydantic import ValidationError

from restante.config.section import Section


class Table(Section):
    """A table with one setting."""

    number: int = 1


def test_a_table_is_frozen_and_has_no_other_keys() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Table().number = 2
    with pytest.raises(ValidationError, match="Extra inputs"):
        Table.model_validate({"amount": 2})
