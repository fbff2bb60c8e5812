"""Routes of the declarative configuration: apply one, and export the present records as one."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request

from restante.admin import applying, configuration_export
from restante.admin.apply_steps import PruneScope
from restante.admin.applying import ApplyLine
from restante.web.api.json_lines import MEDIA_TYPE, JsonLines, body_lines, streamed
from restante.web.api.request_context import ClientWords, RequestContext

router = APIRouter(tags=["configuration"])

# OpenAPI 3.1 cannot give the schema of a line.
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "An object to a line. Its `thing` is account, login, domain, addresses or"
        " channel, and its other fields are those of the record.",
        "content": {MEDIA_TYPE: {"schema": {"type": "string"}}},
    }
}


@router.post("/apply", response_model=ApplyLine, response_class=JsonLines, openapi_extra=_BODY)
async def apply_configuration(
    context: RequestContext,
    request: Request,
    words: ClientWords,
    prune: Annotated[
        PruneScope, Query(description="How things that are not named are treated.")
    ] = PruneScope.NOTHING,
    dry_run: Annotated[bool, Query(description="Change nothing.")] = False,  # noqa: FBT002
) -> JsonLines:
    """Apply a configuration: an entry to a line, in JSON (`application/x-ndjson`).

    All of it is checked before anything changes. The answer has a line for each step once it is
    done. It ends with a summary; without that, apply the same again.
    """
    lines = applying.apply_configuration(context, body_lines(request), prune, is_dry_run=dry_run)
    return await streamed(_told(lines, words))


async def _told(
    lines: AsyncGenerator[ApplyLine, None], words: ClientWords
) -> AsyncGenerator[ApplyLine, None]:
    async with aclosing(lines):  # also if the client leaves
        async for line in lines:
            if line.warning is not None:
                line.warning = words(line.warning)
            if (failure := line.failure) is not None:
                failure.error, failure.remedy = words(failure.error), words(failure.remedy)
            yield line


@router.get("/configuration", response_model=dict[str, Any], response_class=JsonLines)
async def export_configuration(
    context: RequestContext,
    account: str | None = None,
    with_secrets: Annotated[  # noqa: FBT002
        bool, Query(description="With secrets, sealed under the key file.")
    ] = False,
) -> JsonLines:
    """Return the records as entries that `apply` takes, an entry to a line."""
    if with_secrets:
        return await streamed(configuration_export.export_with_secrets(context, account))
    return await streamed(configuration_export.export_configuration(context, account))
