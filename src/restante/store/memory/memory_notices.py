"""The notices of a store that forgets."""

from collections.abc import Sequence
from dataclasses import replace

from restante.queue.sending_outcome import Backlog, SendingOutcome
from restante.store.memory.memory_state import MemoryState
from restante.store.notice_store import PAST_KEPT
from restante.tenancy.notice import NewNotice, Notice, PastNotice, QuietTopic, Topic


class MemoryNotices:
    """A `NoticeStore`."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state
        self._last_notice = 0
        self._last_past = 0

    async def keep_notices(
        self,
        notices: Sequence[NewNotice],
        quiets: Sequence[QuietTopic],
        over: Sequence[Topic],
        limit: int,
    ) -> int:
        """Store notices and what is told no more for a while."""
        for topic in over:
            self._state.quiets.pop(topic, None)
        self._state.quiets |= {quiet.topic: quiet for quiet in quiets}
        there = [new for new in notices if new.channel_id in self._state.directory.channels]
        for new in there:
            self._last_notice += 1
            self._state.notices[self._last_notice] = _numbered(self._last_notice, new)
        excess = [
            number
            for one in dict.fromkeys(new.channel_id for new in there)
            for number in self._state.notices_of(one)[:-limit]
        ]
        for number in excess:
            del self._state.notices[number]
        return len(excess)

    async def quiets(self) -> list[QuietTopic]:
        """Return what is told no more for a while."""
        return [self._state.quiets[topic] for topic in sorted(self._state.quiets)]

    async def first_notices(self, limit: int) -> list[Notice]:
        """Return of each channel the notice that is its turn."""
        firsts = {notice.channel_id: notice for notice in reversed(self._state.notices.values())}
        return sorted(firsts.values(), key=lambda one: (one.next_attempt_at, one.number))[:limit]

    async def settle_notices(
        self, outcomes: Sequence[SendingOutcome], past: Sequence[PastNotice] = ()
    ) -> None:
        """Record the outcomes of some, and keep past ones."""
        for one in past:
            if one.channel_id in self._state.directory.channels:
                self._last_past += 1
                self._state.past_notices.append(replace(one, number=self._last_past))
                same = [old for old in self._state.past_notices if old.channel_id == one.channel_id]
                if len(same) > PAST_KEPT:
                    self._state.past_notices.remove(same[0])
        for outcome in outcomes:
            notice = self._state.notices.get(outcome.number)
            if notice is None:
                continue
            if outcome.next_attempt_at is None:
                del self._state.notices[outcome.number]
            else:
                failures = notice.failures + 1
                failed = replace(
                    notice,
                    failures=failures,
                    reply=outcome.reply,
                    next_attempt_at=outcome.next_attempt_at,
                )
                self._state.notices[outcome.number] = failed

    async def past_notices(
        self, channel_ids: Sequence[int] | None, before: int | None, limit: int
    ) -> list[PastNotice]:
        """Return past notices, newest first."""
        channels = self._state.directory.channels if channel_ids is None else channel_ids
        return [
            one
            for one in reversed(self._state.past_notices)
            if one.channel_id in channels and (before is None or one.number < before)
        ][:limit]

    async def hasten_notices(self, at: float, beyond: float) -> None:
        """Have those tried soon that wait for too long."""
        for notice in list(self._state.notices.values()):
            if notice.next_attempt_at > beyond:
                self._state.notices[notice.number] = replace(notice, next_attempt_at=at)

    async def list_notices(
        self, limit: int, channel_ids: Sequence[int] | None = None, after: int = 0
    ) -> list[Notice]:
        """Return notices that wait, oldest first."""
        later = (one for one in self._state.notices.values() if one.number > after)
        return [one for one in later if channel_ids is None or one.channel_id in channel_ids][
            :limit
        ]

    async def notice_backlog(self) -> Backlog:
        """Return how many wait, and since when."""
        oldest = next(iter(self._state.notices.values()), None)
        return Backlog(len(self._state.notices), None if oldest is None else oldest.made_at)


def _numbered(number: int, new: NewNotice) -> Notice:
    return Notice(
        number, new.channel_id, new.key, new.facts, new.held_back, new.made_at, new.made_at
    )
