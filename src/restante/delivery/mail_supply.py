"""A domain's held mail for the connections: oldest first, read ahead, once each in a round.

A message that has passed too many hosts is marked here, where its header is available;
delivery/reply_outcome.py refuses it. A content file is read whole before a connection takes its
message. A damaged file would interrupt the connection, and every pipelined message beside it would
be sent again. The store sets a damaged one apart. One that cannot be reached is passed over, and
is deferred by the attempt.

A round is one walk over all held mail. It may take several attempts. One that is stopped keeps its
place, so that ten deferred messages do not block all the others permanently. Two rules ensure that
one drain delivers nothing twice. Within a round the walk only goes forward. The next round begins
when everything of this one is settled (the caller's part).

Suspect mail comes behind other mail, and mail that a policy of the destination deferred in earlier
drains comes last. Neither keeps new mail waiting. So a walk has three positions, one in each kind
of mail (walk_position.py). While it is among the later kinds, each read looks for mail of the
earlier ones first.

Where the destination is told the client of each message, a connection takes the mail of one client
only (pending_mail.py). So mail leaves out of order. The positions note the messages that an attempt
has read and not sent.

A supply can be limited to named messages, each of which is looked up. They are few, and a round of
them is one attempt.

A walk can begin behind a given message. It goes on to the newest one, then takes those that it
left out. Only a walk of one round and one attempt does so (a turnaround).
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from restante.delivery.pending_mail import PendingMail
from restante.delivery.silent_clients import CLIENT_SECONDS, ClientWait
from restante.delivery.walk_position import WalkPosition
from restante.mail.first_line import has_ascii_header, set_off
from restante.mail.message import DEFERRED_PLACE, SUSPECT_PLACE, HeldMessage, message_name
from restante.mail.received_field import HEADER_OCTETS, has_more_hops
from restante.smtp.client_transaction import MAX_RECIPIENTS
from restante.smtp.passed_client import PassedClient
from restante.store.content_store import ContentStore
from restante.store.handover_store import HandoverStore
from restante.store.store_errors import ContentUnreachable, Damaged, StoreError

BATCH_MESSAGES: Final = 256
MESSAGES_BEHIND: Final = 64  # of silent and refused clients; more are deferred untried
BATCH_OCTETS: Final = 1024 * 1024  # of content in memory: two batches at most, for each drain
_LOSS: Final = 2
_LOSS_AFTER_MAIL: Final = 1
_MOST_LOSSES: Final = 3
FILES_AT_ONCE: Final = 16  # examined before the connections get more mail: a disk may be slow
FILE_OCTETS_AT_ONCE: Final = 8 * 1024 * 1024  # the same limit for their size


class UnreachableMessage(NamedTuple):
    """A message whose content could not be reached."""

    message: HeldMessage
    reason: str


class MailSupply:
    """The messages that wait to be sent."""

    def __init__(
        self,
        handover: HandoverStore,
        content: ContentStore,
        domain_id: int,
        hostname: str,
        hops_limit: Callable[[], int],
        *,
        mark: int = 0,
    ) -> None:
        """`hostname`: ours; `hops_limit` returns the limit of Received fields when mail is read.

        `mark` is the drain's (mail/policy_deferrals.py).
        """
        self._handover = handover
        self._content = content
        self._domain_id = domain_id
        self._hostname = hostname
        self._hops_limit = hops_limit
        self.mark = mark
        self._unseen: deque[HeldMessage] = deque()  # read from the store, with unseen headers
        self._pending = PendingMail()
        self._others = WalkPosition(0)  # among mail that is neither suspect nor was deferred
        self._kinds = (self._others, WalkPosition(SUSPECT_PLACE), WalkPosition(DEFERRED_PLACE))
        self._start = 0  # number behind which the walk began; 0: nothing was left out, or no longer
        self._until = 0  # while the walk is among those that were left out: the last of them
        self._newest = 0  # where it goes on behind them
        self._named: tuple[int, ...] | None = None  # the only ones; None: all
        self._names_left: deque[int] = deque()  # of this round
        self._unreachable: list[UnreachableMessage] = []
        self.damaged = 0  # messages that this drain met and could not send
        self._losses: dict[
            tuple[int, str], int
        ] = {}  # weights of the connections that lost a message
        self.is_exhausted = False  # the last read found no more
        self.left_behind = 0  # messages of this round that were tried and are still held

    @property
    def is_empty(self) -> bool:
        """Whether no message can be taken now."""
        return not self._pending

    @property
    def waiting(self) -> int:
        """How many messages can be taken now."""
        return len(self._pending)

    @property
    def is_low(self) -> bool:
        """Whether it is time to read on. Mail that comes behind the others does not count."""
        pending = self._pending
        return not self.is_exhausted and len(pending) - pending.count_behind < BATCH_MESSAGES // 2

    @property
    def is_grouped(self) -> bool:
        """Whether the mail of each client is kept apart."""
        return self._pending.is_grouped

    def is_silent(self, client: PassedClient | None) -> bool:
        """Return whether a client, or another of its network, got no answer in this drain."""
        return self._pending.is_silent(client)

    def overdue(self, waits: Sequence[ClientWait], share: int) -> list[int]:
        """Return which waits for silent clients end now (silent_clients.py)."""
        return self._pending.overdue(waits, share)

    @property
    def others_wait(self) -> bool:
        """Whether mail can be taken whose client is neither silent nor refused."""
        return len(self._pending) > self._pending.count_behind

    def found_silent(self, client: PassedClient, seconds: float = CLIENT_SECONDS) -> None:
        """Put the mail of a client's network behind that of others: it got no answer so long."""
        self._pending.put_behind(client, seconds)

    def found_refused(self, client: PassedClient) -> None:
        """Put the mail of a client's network behind that of others: it was refused."""
        self._pending.put_refused_behind(client)

    def found_answered(self, client: PassedClient) -> None:
        """Take a client as any other again."""
        self._pending.bring_back(client)

    def has_unserved(self, served: Mapping[PassedClient | None, int]) -> bool:
        """Return whether mail waits of a client that has no connection."""
        return self._pending.has_unserved(served)

    def take_surplus(self) -> HeldMessage | None:
        """Return a message of those behind that is too much to wait; None if there is none."""
        pending = self._pending
        return pending.take_surplus() if pending.count_behind > MESSAGES_BEHIND else None

    def look_again(self) -> None:
        """Have new mail looked for, while only that of silent or refused clients waits."""
        if len(self._pending) and not self.others_wait:
            self.is_exhausted = False

    def client_of(self, message: HeldMessage) -> PassedClient | None:
        """Return the client whose connection takes a message."""
        return self._pending.client_of(message)

    def waiting_of(self, client: PassedClient | None) -> int:
        """Return how many messages of a client can be taken now."""
        return self._pending.waiting_of(client)

    def next_client(self, served: Mapping[PassedClient | None, int]) -> PassedClient | None:
        """Return the client that the next connection is for; `served` is how many each has."""
        return self._pending.needy(served)

    def is_worth_another(self, served: Mapping[PassedClient | None, int]) -> bool:
        """Return whether some client's mail is worth a connection more than it has."""
        return self._pending.is_worth_another(served)

    def group_by_client(self, *, is_wanted: bool) -> None:
        """Keep the mail of each client apart, or not. Only between attempts."""
        assert self.is_empty, "mail waits"
        self._pending.is_grouped = is_wanted

    def take(self, client: PassedClient | None = None) -> HeldMessage | None:
        """Return the next message of a client, None if there is none now."""
        return self._pending.take(client)

    def is_dry(self, client: PassedClient | None) -> bool:
        """Return whether a connection for this client is of no more use: others wait, or none."""
        pending = self._pending
        if not pending.is_grouped or pending.waiting_of(client):
            return False
        return self.is_exhausted or len(pending) > 0

    def give_back(
        self, message: HeldMessage, *, took_mail: bool = False, behind: bool = False
    ) -> bool:
        """Put back a message that its connection lost; False if it was lost too often.

        Such a message may be the cause. One connection that took no mail may lose it. One that did
        (`took_mail`) weighs half as much: some servers close after each message. `behind` the
        others that are pending, not before them.
        """
        part = (message.number, message.envelope.forward_paths[0])
        weight = self._losses.get(part, 0) + (_LOSS_AFTER_MAIL if took_mail else _LOSS)
        if weight > _MOST_LOSSES:
            return False
        self._losses[part] = weight
        self._pending.append(message, in_front=not behind)
        return True

    def take_unreachable(self) -> list[UnreachableMessage]:
        """Return the messages of this round whose content could not be reached, once each.

        They were passed over, so that they keep no other mail waiting.
        """
        taken, self._unreachable = self._unreachable, []
        return taken

    async def read(self) -> bool:
        """Read on, even past an earlier end; return whether there was something."""
        if not self._unseen:
            self._unseen.extend(await self._page())
        self.is_exhausted = not self._unseen
        files = octets = 0
        while self._unseen and files < FILES_AT_ONCE and octets < FILE_OCTETS_AT_ONCE:
            file = self._unseen[0].file
            if file is not None:
                files, octets = files + 1, octets + file.size
            await self._see(self._unseen[0])
        return not self.is_exhausted

    async def _page(self) -> list[HeldMessage]:
        """Return the next messages of the walk, none at its end."""
        if self._named is not None:
            return await self._named_page()
        while True:
            found = await self._read_page()
            if self._until:
                found = [message for message in found if message.place <= self._until]
            elif self._start:  # later kinds of mail wait for those that were left out, too
                found = [one for one in found if self._position_of(one) is self._others]
            if found or not (self._start or self._until):
                return found
            if self._until:
                self._others.last_read, self._until = self._newest, 0
            else:
                self._newest, self._others.last_read = self._others.last_read, 0
                self._start, self._until = 0, self._start

    async def _named_page(self) -> list[HeldMessage]:
        """Return the named messages that are held and were not read in this round."""
        found = list[HeldMessage]()
        while self._names_left:
            number = self._names_left.popleft()
            for place in (number, number + SUSPECT_PLACE, number + DEFERRED_PLACE):
                some = await self._held_behind(WalkPosition(place - 1), limit=1)
                found += [message for message in some if message.place == place]
        return found

    async def _read_page(self) -> list[HeldMessage]:
        """Return messages that this walk has not tried; a later kind only behind the others."""
        present = self._present
        for position in self._kinds[: self._kinds.index(present)]:
            first = await self._held_behind(position, limit=1)
            if first and self._position_of(first[0]) is position:
                wanted = await self._untried(position)
                if wanted:
                    return wanted
        return await self._untried(present)

    @property
    def _present(self) -> WalkPosition:
        """The last kind of mail that the walk has begun."""
        begun = [position for position in self._kinds if position.has_begun]
        return begun[-1] if begun else self._others

    async def _untried(self, position: WalkPosition) -> list[HeldMessage]:
        """Return messages behind a position. Those of a later kind can follow the present one."""
        is_present = position is self._present
        while True:
            found = await self._held_behind(position)
            if not is_present:
                found = [one for one in found if self._position_of(one) is position]
            wanted = [one for one in found if self._position_of(one).is_untried(one.place)]
            if wanted or not found:
                return wanted
            position.last_read = found[-1].place

    async def _held_behind(
        self, position: WalkPosition, limit: int = BATCH_MESSAGES
    ) -> list[HeldMessage]:
        return await self._handover.held(
            self._domain_id,
            position.last_read,
            limit,
            BATCH_OCTETS,
            with_origins=self._pending.is_grouped,
            mark=self.mark,
        )

    def _position_of(self, message: HeldMessage) -> WalkPosition:
        return self._kinds[message.place // SUSPECT_PLACE]

    async def _see(self, message: HeldMessage) -> None:
        """Make the first unseen message pending, marked if it loops; pass over a damaged one."""
        is_whole, content = True, message.head
        if message.file is not None:
            try:
                content += await self._content.prove_file(message.file, HEADER_OCTETS)
            except Damaged:
                is_whole = False
                self.damaged += 1
            except ContentUnreachable as error:
                is_whole = False
                self._unreachable.append(UnreachableMessage(message, str(error)))
            except StoreError:  # it happens again when the content is sent, and is logged there
                pass
        if has_more_hops(content, self._hops_limit()):
            message = message._replace(goes_in_a_circle=True)
        message = self._made_ready(message, content)
        self._unseen.popleft()
        if is_whole:
            for part in _parts(message):
                self._pending.append(part)
        self._position_of(message).last_read = message.place

    def _made_ready(self, message: HeldMessage, content: bytes) -> HeldMessage:
        """Return a message as it is sent: first line set off, SMTPUTF8 only if needed."""
        head = set_off(message.head, content, message_name(message.number), self._hostname)
        if head is not message.head:
            message = message._replace(head=head)
        if message.envelope.needs_smtputf8 and has_ascii_header(content):
            # A client may use SMTPUTF8 for any mail (RFC 6531 §3.4); the paths are checked when it
            # is sent.
            message = message._replace(envelope=message.envelope._replace(needs_smtputf8=False))
        return message

    def lay_down(self) -> None:
        """End an attempt: forget unsent messages; the next attempt reads on from there."""
        for position in self._kinds:
            unsent = {one.place for one in self._pending if self._position_of(one) is position}
            position.lay_down(unsent, is_in_order=not self._pending.is_grouped)
        self._unseen.clear()
        self._pending.clear()
        self.is_exhausted = False

    def only(self, numbers: Iterable[int] | None) -> None:
        """Hand over these messages alone; None: all. Only where a round begins."""
        self._named = None if numbers is None else tuple(numbers)
        self._names_left = deque(self._named or ())

    def begin_behind(self, number: int) -> None:
        """Begin behind this message; those up to it come last. Only before anything was read."""
        self._others.last_read = self._start = number

    def begin_round(self) -> None:
        """Start again with the oldest message. Only when all outcomes are settled."""
        self._unseen.clear()
        self._pending.clear()
        self._losses.clear()
        for position in self._kinds:
            position.begin_round()
        self._start = self._until = 0
        self.is_exhausted = False
        self.left_behind = 0


def _parts(message: HeldMessage) -> Iterator[HeldMessage]:
    """Split a message into transactions of at most 100 recipients (RFC 5321 §4.5.3.1.8)."""
    paths = message.envelope.forward_paths
    if len(paths) <= MAX_RECIPIENTS:
        yield message
        return
    for start in range(0, len(paths), MAX_RECIPIENTS):
        some = message.envelope._replace(forward_paths=paths[start : start + MAX_RECIPIENTS])
        yield message._replace(envelope=some)
