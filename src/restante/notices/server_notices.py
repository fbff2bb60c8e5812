"""Notices about the server itself: its certificate, disk, store and clock."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from restante.mail.quantity import counted
from restante.notices.notice_making import PairedRule, make_notice, paired
from restante.phrases import EXPIRES, HAS_EXPIRED
from restante.telemetry.events import (
    CertificateExpiring,
    CertificateOrderFailed,
    ClockDoubted,
    FilterAway,
    FilterBack,
    ObjectsAway,
    ObjectsBack,
    RoomBack,
    RoomShort,
    ServerFailing,
    StoreAway,
    StoreBack,
)
from restante.tenancy.notice import NoticeFacts, NoticeKind
from restante.tenancy.policy import DAY

_HOSTS_SHOWN: Final = 3  # of a certificate
_HOUR: Final = 3600.0


def _certificate_expiring(event: CertificateExpiring, at: float) -> Iterator[NoticeFacts]:
    days, ends, hosts = event.days, event.ends, ", ".join(islice(event.hosts, _HOSTS_SHOWN))
    subject = "A certificate of the server" + (f" for {hosts}" if hosts else "")
    text = (
        f"{subject} {EXPIRES} {counted(days, 'day')}, at {ends}."
        if days
        else f"{subject} {HAS_EXPIRED}, at {ends}."
    )
    yield make_notice(
        NoticeKind.CERTIFICATE_EXPIRING,
        "",
        at,
        f"{hosts}, {ends}, {counted(days, 'day')}".removeprefix(", "),
        text,
        days=event.days,
        ends=event.ends,
        hosts=hosts,
    )


def _order_failed(event: CertificateOrderFailed, at: float) -> Iterator[NoticeFacts]:
    hosts, seconds = ", ".join(event.hosts), round(event.retry_seconds)
    hours = counted(round(seconds / _HOUR), "hour")
    text = (
        f"No certificate for {hosts} was issued: {event.reason}. The certificate in use stays. The"
        f" order is tried again in {hours}."
    )
    yield make_notice(
        NoticeKind.CERTIFICATE_ORDER_FAILED,
        "",
        at,
        hosts,
        text,
        hosts=hosts,
        reason=event.reason,
        retry_seconds=seconds,
    )


def _server_failing(event: ServerFailing, at: float) -> Iterator[NoticeFacts]:
    text = (
        f"The server accepts no more mail and exits: {event.reason}. If it does not start again,"
        " read its log."
    )
    yield make_notice(NoticeKind.SERVER_FAILING, "", at, "store", text, reason=event.reason)


def _room_short(event: RoomShort, at: float) -> Iterator[NoticeFacts]:
    text = (
        f"{event.free_octets} octets are free on the store's disk, less than {event.disk_reserve}:"
        " mail is deferred."
    )
    yield make_notice(
        NoticeKind.ROOM_SHORT,
        "",
        at,
        "disk",
        text,
        free_octets=event.free_octets,
        disk_reserve=event.disk_reserve,
    )


def _room_back(event: RoomBack, at: float) -> Iterator[NoticeFacts]:
    text = f"{event.free_octets} octets are free on the store's disk: mail is accepted again."
    yield make_notice(
        NoticeKind.ROOM_BACK,
        "",
        at,
        "disk",
        text,
        free_octets=event.free_octets,
        disk_reserve=event.disk_reserve,
    )


def _store_away(event: StoreAway, at: float) -> Iterator[NoticeFacts]:
    text = f"The store takes no mail: {event.reason}. Mail is deferred, and drains may wait."
    yield make_notice(NoticeKind.STORE_AWAY, "", at, "store", text, reason=event.reason)


def _store_back(event: StoreBack, at: float) -> Iterator[NoticeFacts]:
    text = f"The store can be used again, after {event.seconds:.0f} s: mail is accepted again."
    yield make_notice(NoticeKind.STORE_BACK, "", at, "store", text, seconds=round(event.seconds))


def _objects_away(event: ObjectsAway, at: float) -> Iterator[NoticeFacts]:
    text = (
        f"The object store cannot be used: {event.reason}. Mail of 1 MiB or more is deferred"
        " when it comes, and in drains. Other mail is not concerned."
    )
    yield make_notice(NoticeKind.OBJECTS_AWAY, "", at, "objects", text, reason=event.reason)


def _objects_back(event: ObjectsBack, at: float) -> Iterator[NoticeFacts]:
    text = f"The object store can be used again, after {event.seconds:.0f} s."
    seconds = round(event.seconds)
    yield make_notice(NoticeKind.OBJECTS_BACK, "", at, "objects", text, seconds=seconds)


def _filter_away(event: FilterAway, at: float) -> Iterator[NoticeFacts]:
    text = (
        f"The content filter {event.check} fails: {event.reason}. Mail is held unexamined until it"
        " answers."
    )
    yield make_notice(
        NoticeKind.FILTER_AWAY, "", at, event.check, text, check=event.check, reason=event.reason
    )


def _filter_back(event: FilterBack, at: float) -> Iterator[NoticeFacts]:
    seconds = round(event.seconds)
    text = f"The content filter {event.check} answers again, after {seconds} s."
    yield make_notice(
        NoticeKind.FILTER_BACK, "", at, event.check, text, check=event.check, seconds=seconds
    )


def _clock_doubted(event: ClockDoubted, at: float) -> Iterator[NoticeFacts]:
    where = "ahead" if event.seconds > 0 else "behind"
    days = counted(round(abs(event.seconds) / DAY), "day")
    text = (
        f"The server's clock is {days} {where}. Until {event.ends}, ages are counted by the"
        " expected time. Set the clock if it is wrong."
    )
    yield make_notice(
        NoticeKind.CLOCK_DOUBTED,
        "",
        at,
        "clock",
        text,
        seconds=round(event.seconds),
        ends=event.ends,
    )


SERVER_RULES: Final[tuple[PairedRule, ...]] = (
    paired(CertificateExpiring, _certificate_expiring),
    paired(CertificateOrderFailed, _order_failed),
    paired(ServerFailing, _server_failing),
    paired(RoomShort, _room_short),
    paired(RoomBack, _room_back),
    paired(StoreAway, _store_away),
    paired(StoreBack, _store_back),
    paired(ObjectsAway, _objects_away),
    paired(ObjectsBack, _objects_back),
    paired(FilterAway, _filter_away),
    paired(FilterBack, _filter_back),
    paired(ClockDoubted, _clock_doubted),
)
