"""Events reach their subscribers."""

from dataclasses import replace

from restante.telemetry.event_bus import EventBus
from restante.telemetry.event_fields import example
from restante.telemetry.events import EVENTS, Event, MailHeld, RoomShort


def test_an_event_reaches_those_who_subscribed_to_its_type_in_order() -> None:
    told: list[tuple[str, Event]] = []
    bus = EventBus()
    bus.subscribe(lambda event: told.append(("all", event)), *EVENTS)
    bus.subscribe(lambda event: told.append(("short", event)), RoomShort)
    short, held = example(RoomShort), example(MailHeld)
    bus.publish(held)
    bus.publish(short)
    assert told == [("all", held), ("all", short), ("short", short)]


def test_an_event_is_shortened_before_any_subscriber_gets_it() -> None:
    told: list[Event] = []
    bus = EventBus()
    bus.subscribe(told.append, MailHeld)
    bus.shorten_by({MailHeld: lambda event: replace(event, reverse_path="")})
    bus.subscribe(told.append, MailHeld, RoomShort)
    held, short = example(MailHeld), example(RoomShort)
    bus.publish(held)
    bus.publish(short)
    bus.shorten_by({})
    bus.publish(held)
    brief = replace(held, reverse_path="")
    assert told == [brief, brief, short, held, held]
