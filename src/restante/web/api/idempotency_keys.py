"""Requests that a client may repeat without doing anything twice: the header Idempotency-Key.

The answer to a request with a key is kept for a day. The same request with the same key by the same
principal gets that answer again. Only successes are kept: a request that failed changed nothing.

An answer is kept after its action. If the server is killed between the two, a repeat is done
again. That does no harm: an addition answers 409 for a thing that exists. Messages that have left
the queue are named as missing.

A route takes part if `REPEATABLE` is one of its dependencies and its router makes `ActingRoute`s.
If the answer has a secret, `SECRET_ANSWER` keeps it out of the store.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import Depends, Header, Request, Response

from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.store.answer_store import AnswerBounds, KeptAnswer
from restante.store.store_errors import StoreError
from restante.telemetry.events import StoreFailed
from restante.telemetry.work_word import WorkWord
from restante.tenancy.policy import DAY
from restante.tenancy.principal import Principal
from restante.web.api.checked_route import CheckedRoute
from restante.web.api.request_context import RequestContext

KEY_HEADER: Final = "Idempotency-Key"
REPEATED: Final = "Idempotent-Replayed"  # in an answer that was kept
KEPT_SECONDS: Final = DAY
MAX_KEY_LENGTH: Final = 255  # characters
MAX_BODY: Final = 64 * 1024  # octets of an answer that is kept whole
MOST_OF_OWNER: Final = 500
MOST: Final = 5000
MOST_OCTETS: Final = 16 * 1024 * 1024
_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}\Z")
_LABEL: Final = "idempotent requests"


@dataclass(frozen=True, slots=True)
class KeyedRequest:
    """One request with a key."""

    key_owner: str
    key: str
    digest: bytes


class AnswerKept(Exception):  # noqa: N818  no error: it ends a request whose answer is known
    """The request was answered before."""

    def __init__(self, answer: KeptAnswer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class RequestsUnderWay:
    """The keys of the requests that this process is answering."""

    def __init__(self) -> None:
        self._keys: set[tuple[str, str]] = set()

    def begin(self, request: KeyedRequest) -> None:
        """Note a request. Raises AdminError if another with its key is under way."""
        if (request.key_owner, request.key) in self._keys:
            raise AdminError(
                ErrorKind.CONFLICT,
                f"{KEY_HEADER}: a request with this key is being answered",
                "wait, and send it again",
            )
        self._keys.add((request.key_owner, request.key))

    def end(self, request: KeyedRequest) -> None:
        """Forget it."""
        self._keys.discard((request.key_owner, request.key))


async def _take_part(
    request: Request,
    context: RequestContext,
    idempotency_key: Annotated[
        str | None,
        Header(
            max_length=MAX_KEY_LENGTH,
            description="A name of your choice for this request. For a day, a repeat with the same"
            " key and body gets the first answer.",
        ),
    ] = None,
) -> None:
    """Raise AnswerKept for a request that was answered before; otherwise note it."""
    if idempotency_key is None:
        return
    keyed = await _keyed_request(request, context, idempotency_key)
    under_way: RequestsUnderWay = request.app.state.under_way
    under_way.begin(keyed)
    request.state.keyed = (keyed, context)  # from here on the route ends it
    since = context.now() - KEPT_SECONDS
    kept = await context.store.answers.answer(keyed.key_owner, keyed.key, since)
    if kept is not None:
        raise AnswerKept(_repeated(kept, keyed))


async def _keyed_request(request: Request, context: AdminContext, key: str) -> KeyedRequest:
    """Return a request with its key. Raises AdminError for one that is none."""
    if not _KEY.match(key):
        raise AdminError(
            ErrorKind.INVALID,
            f"{KEY_HEADER}: must be 1 to {MAX_KEY_LENGTH} visible ASCII characters",
            "use a UUID, for example",
        )
    parts = (
        request.method.encode(),
        request.url.path.encode(),
        request.url.query.encode(),
        await request.body(),
    )
    digest = request_digest(context.vault.constant(_LABEL), parts)
    return KeyedRequest(key_owner_of(context.principal), key, digest)


async def _has_secret(request: Request) -> None:
    request.state.has_secret = True


REPEATABLE: Final = Depends(_take_part)
SECRET_ANSWER: Final = Depends(_has_secret)


class ActingRoute(CheckedRoute):
    """A route whose answer is kept, if the request has a key and the route takes part."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler of the framework with this around it."""
        answer = super().get_route_handler()

        async def answer_once(request: Request) -> Response:
            try:
                response = await answer(request)
                await _keep(request, response)
            except AnswerKept as known:
                return Response(
                    known.answer.body,
                    known.answer.status,
                    {REPEATED: "true"},
                    media_type="application/json",
                )
            finally:
                if (noted := getattr(request.state, "keyed", None)) is not None:
                    request.app.state.under_way.end(noted[0])
            return response

        return answer_once


def key_owner_of(principal: Principal) -> str:
    """Return the text of a principal as an owner of keys. It begins with its account."""
    return f"{principal.account}\n{principal.role}\n{principal.name}\n{principal.token}"


def request_digest(key: bytes, parts: Iterable[bytes]) -> bytes:
    """Return a digest of a request. A body may have a password, so a key makes it no use to guess.

    Each part is hashed by itself, so that no octet can move to the next part.
    """
    hashes = (hashlib.sha256(part).digest() for part in parts)
    return hmac.digest(key, b"".join(hashes), "sha256")


def _repeated(kept: KeptAnswer, request: KeyedRequest) -> KeptAnswer:
    """Return a kept answer. Raises AdminError for another request, or if the body is not kept."""
    if not hmac.compare_digest(kept.request, request.digest):
        raise AdminError(
            ErrorKind.INVALID,
            f"{KEY_HEADER}: this key belongs to another request",
            "use a new key for each request",
        )
    if kept.body is None:
        raise AdminError(
            ErrorKind.CONFLICT,
            f"{KEY_HEADER}: this request was done, but its answer was not kept",
            "see what exists now; an answer with a secret is shown once",
        )
    return kept


async def _keep(request: Request, response: Response) -> None:
    """Keep the answer to a request that was done. A store that fails is logged: it is done."""
    noted = getattr(request.state, "keyed", None)
    if noted is None or response.status_code >= HTTPStatus.BAD_REQUEST:
        return
    keyed: KeyedRequest = noted[0]
    context: AdminContext = noted[1]
    answer = KeptAnswer(
        keyed.digest,
        context.now(),
        response.status_code,
        _kept_body(response, has_secret=getattr(request.state, "has_secret", False)),
    )
    bounds = AnswerBounds(context.now() - KEPT_SECONDS, MOST_OF_OWNER, MOST, MOST_OCTETS)
    try:
        await context.store.answers.keep_answer(keyed.key_owner, keyed.key, answer, bounds)
    except StoreError as error:
        if context.parts.log:
            context.parts.log.publish(StoreFailed(error=error, doing=WorkWord.KEEP_ANSWER))


def _kept_body(response: Response, *, has_secret: bool) -> bytes | None:
    body = getattr(response, "body", None)  # a stream has none
    if has_secret or body is None or len(body) > MAX_BODY:
        return None
    return bytes(body)
