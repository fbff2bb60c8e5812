"""Each field of the events has one meaning, and each event an example."""

from dataclasses import fields
from types import UnionType
from typing import ClassVar, Union, get_args, get_origin, get_type_hints

import pytest

from restante.telemetry.event_fields import FIELDS, example
from restante.telemetry.events import EVENTS, Event, RoomShort


def test_names_are_unique_and_every_field_has_one_meaning() -> None:
    assert len({kind.event for kind in EVENTS}) == len(EVENTS)
    used = {each.name for kind in EVENTS for each in fields(kind)}
    assert used == FIELDS.keys()


def test_a_misspelled_field_is_an_error_and_an_event_never_changes() -> None:
    with pytest.raises(TypeError):
        RoomShort(free_octets=1, reserve=2)  # type: ignore[call-arg]
    with pytest.raises(AttributeError):
        RoomShort(free_octets=1, disk_reserve=2).free_octets = 3  # type: ignore[misc]


def test_an_example_has_what_is_given_and_an_example_of_each_other_required_field() -> None:
    assert example(RoomShort, free_octets=1) == RoomShort(
        free_octets=1, disk_reserve=FIELDS["disk_reserve"].example
    )


@pytest.mark.parametrize("kind", EVENTS)
def test_each_event_has_an_example_with_values_of_its_types(kind: type[Event]) -> None:
    event = example(kind)
    for name, expected in get_type_hints(kind).items():
        if get_origin(expected) is ClassVar:
            continue
        either = get_args(expected) if get_origin(expected) in (Union, UnionType) else (expected,)
        value = getattr(event, name)
        assert isinstance(value, tuple(get_origin(one) or one for one in either)), name
        assert not isinstance(value, tuple) or all(isinstance(text, str) for text in value)
