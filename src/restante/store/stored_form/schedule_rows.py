"""Scheduled changes of domains as rows, and back."""

from restante.store.stored_form.record_rows import (
    destination_of,
    destination_text,
    hosts_of,
    hosts_text,
)
from restante.store.stored_form.row_type import Row
from restante.store.stored_form.rows import storable
from restante.tenancy.scheduled_change import ChangeMaker, PartReplacement, ScheduledChange


def scheduled_row(change: ScheduledChange) -> Row:
    """Spell a scheduled change in the order of its columns, without its id."""
    maker, hosts = change.maker, change.authorized_hosts
    return (
        change.domain_id,
        change.domain,
        change.account,
        maker.name,
        maker.acted_from,
        maker.token,
        maker.user,
        change.made_at,
        change.applies_at,
        *destination_texts(change),
        hosts and hosts_text(hosts.former),
        hosts and hosts_text(hosts.wanted),
        storable(change.reason),
        int(change.is_announced),
    )


def destination_texts(change: ScheduledChange) -> tuple[str | None, str | None]:
    """Spell the former destination and the wanted one, as columns."""
    place = change.destination
    if place is None:
        return None, None
    return destination_text(place.former), destination_text(place.wanted)


def scheduled_change(row: Row) -> ScheduledChange:
    """Read a scheduled change back."""
    number, domain_id, domain, account, *maker, made_at, applies_at = row[:10]
    old_place, new_place, old_hosts, new_hosts, reason, is_announced = row[10:]
    return ScheduledChange(
        number,
        domain_id,
        domain,
        account,
        ChangeMaker(*maker),
        made_at,
        applies_at,
        new_place and PartReplacement(destination_of(old_place), destination_of(new_place)),
        new_hosts and PartReplacement(hosts_of(old_hosts), hosts_of(new_hosts)),
        reason,
        bool(is_announced),
    )
