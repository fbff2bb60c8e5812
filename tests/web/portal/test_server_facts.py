"""The server's state on the operator's overview."""

from restante.admin.auditing import moment
from restante.admin.server_status import BacklogView, DoorView, RoomView, StatusView, StoreView
from restante.reception.doorkeeper import ShedCause
from restante.web.portal.server_facts import ServerFact, server_facts

NOW = 1_760_000_000.0
ROOM = RoomView(free_octets=12 * 2**30, disk_reserve=268_435_456, is_short=False)
DOOR = DoorView(sessions=7, sessions_limit=1000, shed={})
STORE = StoreView(
    failure="",
    damaged_messages=0,
    scrubbed_at=None,
    is_scrub_under_way=False,
    scrubbed_messages=0,
)


def facts(
    room: RoomView | None = ROOM, door: DoorView | None = DOOR, store: StoreView = STORE
) -> dict[str, ServerFact]:
    """Return the facts by name."""
    reports = BacklogView(waiting=1, oldest_at=moment(NOW - 120))
    notices = BacklogView(waiting=503, oldest_at=moment(NOW - 312))
    view = StatusView.model_construct(
        room=room, door=door, store=store, reports=reports, notices=notices
    )
    return {one.name: one for one in server_facts(view, NOW)}


def test_room_and_sessions_are_shown_with_their_limits() -> None:
    found = facts()
    assert found["Disk"] == ServerFact("Disk", "12 GiB free; mail is taken down to 256 MiB")
    assert found["Sessions"].text == "7 of 1,000"
    assert found["Turned away"].text == "no connection since the start"
    assert (
        found["Waiting to be sent"].text
        == "1 report to senders for 2 min; 503 notices, the oldest for 5 min"
    )


def test_want_of_room_stands_out() -> None:
    short = RoomView(free_octets=1_000_000, disk_reserve=268_435_456, is_short=True)
    assert facts(room=short)["Disk"].state == "short"


def test_a_store_in_a_database_has_no_disk_here() -> None:
    away = RoomView(free_octets=None, disk_reserve=268_435_456, is_short=False)
    assert "the store is in a database" in facts(room=away)["Disk"].text


def test_connections_turned_away_are_counted_by_the_limit() -> None:
    shed = {
        ShedCause.SESSIONS_PER_BLOCK: 1200,
        ShedCause.SESSIONS: 34,
        ShedCause.CONNECTIONS_PER_MINUTE: 0,
    }
    found = facts(door=DoorView(sessions=7, sessions_limit=1000, shed=shed))["Turned away"]
    assert found.text == "1,234 connections since the start, with 421"
    assert found.details == (
        "1,200: too many sessions from one network",
        "34: all sessions were taken",
    )


def test_the_state_of_the_store_is_shown() -> None:
    assert facts()["Store"].text == "not checked since the start"
    checked = STORE.model_copy(update={"scrubbed_at": moment(NOW - 7200), "damaged_messages": 2})
    found = facts(store=checked)["Store"]
    assert (found.text, found.details) == ("last checked 2 h ago", ("2 messages are damaged",))
    running = {"is_scrub_under_way": True, "scrubbed_messages": 3, "failure": "I/O error"}
    found = facts(store=STORE.model_copy(update=running))["Store"]
    assert (found.text, found.state) == ("being checked, 3 messages so far", "failed")


def test_without_a_server_there_is_neither_a_disk_nor_a_door() -> None:
    assert list(facts(room=None, door=None)) == ["Store", "Waiting to be sent"]
