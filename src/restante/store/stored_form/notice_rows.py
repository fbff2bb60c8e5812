"""Channels and notices as rows, and back.

A later version may have stored kinds and ways that this one does not know. That is no reason to
refuse the store: a waiting notice is shown under its own name, and a channel receives the kinds
that exist.
"""

import json
from enum import StrEnum

from restante.store.stored_form.row_type import Row
from restante.store.stored_form.rows import storable
from restante.tenancy.notice import (
    Channel,
    ChannelTransport,
    NewNotice,
    Notice,
    NoticeFacts,
    NoticeKind,
    PastNotice,
    QuietTopic,
)


def channel_row(channel: Channel) -> Row:
    """Spell a channel without its id."""
    return (
        channel.account,
        channel.name,
        channel.transport,
        channel.target,
        channel.sealed,
        "\n".join(sorted(channel.kinds)),
        channel.created_at,
        int(channel.all_accounts),
    )


def channel(row: Row) -> Channel:
    """Read a channel back."""
    number, account, name, transport, target, sealed, kinds, created_at, all_accounts = row
    listed = kinds.split()
    known = frozenset(kind for kind in NoticeKind if kind in listed)
    return Channel(
        number,
        account,
        name,
        _known(ChannelTransport, transport),
        target,
        sealed,
        known,
        created_at,
        bool(all_accounts),
    )


def notice_row(new: NewNotice) -> Row:
    """Spell a notice in the order of its columns, up to the time of the next attempt."""
    return (new.channel_id, new.key, facts_text(new.facts), new.held_back, new.made_at, new.made_at)


def notice(row: Row) -> Notice:
    """Read a notice back."""
    number, channel_id, key, facts, held_back, made_at, next_attempt_at, failures, reply = row
    return Notice(
        number,
        channel_id,
        key,
        facts_of(facts),
        held_back,
        made_at,
        next_attempt_at,
        failures,
        reply,
    )


def past_notice_row(one: PastNotice) -> Row:
    """Spell a past notice in the order of its columns, without its number."""
    return (
        one.channel_id,
        one.key,
        facts_text(one.facts),
        one.held_back,
        one.ended_at,
        int(one.is_sent),
        one.failures,
        storable(one.reply),
    )


def past_notice_of_row(row: Row) -> PastNotice:
    """Read a past notice back."""
    number, channel_id, key, facts, held_back, ended_at, is_sent, failures, reply = row
    return PastNotice(
        number,
        channel_id,
        key,
        facts_of(facts),
        held_back,
        ended_at,
        bool(is_sent),
        failures,
        reply,
    )


def quiet_row(quiet: QuietTopic) -> Row:
    """Spell what is told no more for a while."""
    last = None if quiet.last is None else facts_text(quiet.last)
    return (*quiet.topic, quiet.until, quiet.held_back, last)


def quiet(row: Row) -> QuietTopic:
    """Read it back."""
    account, kind, about, until, held_back, last = row
    topic = (account, _known(NoticeKind, kind), about)
    return QuietTopic(topic, until, held_back, None if last is None else facts_of(last))


def facts_text(facts: NoticeFacts) -> str:
    """Spell facts as a JSON object."""
    values = {
        "kind": facts.kind,
        "account": facts.account,
        "about": facts.about,
        "text": facts.text,
        "at": facts.at,
        "details": dict(facts.details),
    }
    return json.dumps(values, separators=(",", ":"))


def facts_of(text: str) -> NoticeFacts:
    """Read facts back."""
    values = json.loads(text)
    kind = _known(NoticeKind, values["kind"])
    return NoticeFacts(
        kind,
        values["account"],
        values["about"],
        values["text"],
        values["at"],
        values["details"],
    )


def _known(names: type[StrEnum], text: str) -> str:
    """Return the member of that name where there is one."""
    return next((member for member in names if member == text), text)
