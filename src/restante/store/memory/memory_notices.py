"""The notices of a store that forgets."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from restante.queue.sending_outcome import Backlog, SendingOutcome
from restante.tenancy.notice import NewNotice, Notice, Quiet, Topic


class MemoryNotices:
    """Notices that wait to be sent, and topics that are silenced for a while."""

    def __init__(self) -> None:
        super().__init__()
        self._notices: dict[int, Notice] = {}  # by number
        self._quiets: dict[Topic, Quiet] = {}
        self._last_notice = 0

    async def keep_notices(
        self,
        notices: Sequence[NewNotice],
        quiets: Sequence[Quiet],
        over: Sequence[Topic],
        limit: int,
    ) -> int:
        """Store notices and what is told no more for a while."""
        for topic in over:
            self._quiets.pop(topic, None)
        self._quiets |= {quiet.topic: quiet for quiet in quiets}
        there = [new for new in notices if new.channel_id in self._channel_ids()]
        for new in there:
            self._last_notice += 1
            self._notices[self._last_notice] = _numbered(self._last_notice, new)
        excess = [
            number
            for one in dict.fromkeys(new.channel_id for new in there)
            for number in self._notices_of(one)[:-limit]
        ]
        for number in excess:
            del self._notices[number]
        return len(excess)

    def _channel_ids(self) -> Collection[int]:
        raise NotImplementedError

    def _notices_of(self, channel_id: int) -> list[int]:
        return [
            number for number, notice in self._notices.items() if notice.channel_id == channel_id
        ]

    def _hasten_channel(self, channel_id: int, at: float) -> None:
        for number in self._notices_of(channel_id):
            notice = self._notices[number]
            self._notices[number] = replace(notice, next_attempt_at=min(notice.next_attempt_at, at))

    def _forget_channel(self, channel_id: int) -> None:
        self._notices = {
            number: one for number, one in self._notices.items() if one.channel_id != channel_id
        }

    async def quiets(self) -> list[Quiet]:
        """Return what is told no more for a while."""
        return [self._quiets[topic] for topic in sorted(self._quiets)]

    async def first_notices(self, limit: int) -> list[Notice]:
        """Return of each channel the notice that is its turn."""
        firsts = {notice.channel_id: notice for notice in reversed(self._notices.values())}
        return sorted(firsts.values(), key=lambda one: (one.next_attempt_at, one.number))[:limit]

    async def settle_notices(self, outcomes: Sequence[SendingOutcome]) -> None:
        """Record the outcomes of some."""
        for outcome in outcomes:
            notice = self._notices.get(outcome.number)
            if notice is None:
                continue
            if outcome.next_attempt_at is None:
                del self._notices[outcome.number]
            else:
                failures = notice.failures + 1
                failed = replace(
                    notice,
                    failures=failures,
                    reply=outcome.reply,
                    next_attempt_at=outcome.next_attempt_at,
                )
                self._notices[outcome.number] = failed

    async def list_notices(
        self, limit: int, channel_ids: Sequence[int] | None = None, after: int = 0
    ) -> list[Notice]:
        """Return notices that wait, oldest first."""
        later = (one for one in self._notices.values() if one.number > after)
        return [one for one in later if channel_ids is None or one.channel_id in channel_ids][
            :limit
        ]

    async def notice_backlog(self) -> Backlog:
        """Return how many wait, and since when."""
        oldest = next(iter(self._notices.values()), None)
        return Backlog(len(self._notices), None if oldest is None else oldest.made_at)


def _numbered(number: int, new: NewNotice) -> Notice:
    return Notice(
        number, new.channel_id, new.key, new.news, new.held_back, new.made_at, new.made_at
    )
