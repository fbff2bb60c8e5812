"""Requests made from the schema: no answer is a defect, and each is as the schema declares it."""

import asyncio
import zlib
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from restante.web.api.api_application import build_api
from tests.admin.admin_world import AdminWorld

# An operation has so many examples that all of them together take less than a minute.
EXAMPLES = 30
KNOWN = {
    "account": "alpha",
    "user": "alpha-mail",
    "domain": "alpha.example",
    "number": 1,
    "release": "1",
}


def admin_with_things() -> AdminWorld:
    admin = AdminWorld()

    async def story() -> None:
        domain_id = await admin.host("alpha.example", "alpha")
        await admin.hold(1, domain_id, "u@alpha.example", "v@alpha.example")
        await admin.refuse(1, domain_id, "v@alpha.example", "550 no")

    asyncio.run(story())
    return admin


ADMIN = admin_with_things()
schema = schemathesis.openapi.from_asgi(
    "/v1/openapi.json", build_api(ADMIN.context, ADMIN.context.principal)
)


@schemathesis.serializer("application/x-ndjson", "application/x-restante-mail")
def as_octets(_context: Any, value: Any) -> Any:
    return {"data": value if isinstance(value, bytes) else str(value).encode(errors="replace")}


WRONG = ("nan", "inf", "-inf", "1e18", "1e400", str(2**63), "9" * 400, "-1", "253402300800")
HALF = "\ud800"


def spoil(case: Any) -> None:
    """Give one field of some requests a value that nothing can hold; its text chooses which."""
    digest = zlib.crc32(repr((case.path, case.query, case.body)).encode(errors="replace"))
    wrong = WRONG[digest % len(WRONG)]
    if digest % 3 == 0 and case.query:
        name = sorted(case.query)[digest % len(case.query)]
        case.query[name] = wrong
    if digest % 3 == 1 and isinstance(case.body, dict) and case.body:
        name = sorted(case.body)[digest % len(case.body)]
        case.body[name] = _spoiled(case.body[name], wrong)


def _spoiled(value: Any, wrong: str) -> Any:
    match value:
        case str():
            return value + HALF
        case list():
            return [*value, HALF]
        case bool() | None:
            return wrong
        case int() | float():
            return int(1e300)
        case _:
            return value


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_no_request_finds_a_defect(case: Any) -> None:
    for name, known in KNOWN.items():
        if name in (case.path_parameters or {}) and len(str(case.path_parameters[name])) % 2:
            case.path_parameters[name] = known
    spoil(case)
    answer = case.call()
    assert answer.status_code != 500, ADMIN.log.lines[-1]
    case.validate_response(
        answer,
        checks=[status_code_conformance, content_type_conformance, response_schema_conformance],
    )
