"""The settings of an object store."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from restante.store.object_settings import ObjectSettings


@pytest.mark.parametrize(
    ("settings", "cause", "remedy"),
    [
        ({"region": "eu", "orphan_hours": 2}, "needs `url`", "remove orphan_hours, region"),
        *(
            ({"url": url}, "is no bucket", 'write "s3://BUCKET"')
            for url in (
                "mail",
                "file:///tmp",
                "memory:///",
                "s3://",
                "s3://[::1",
                "s3://Mail",
                "s3://mail/a b",
                "s3://mail/a/../b",
            )
        ),
        *(
            ({"url": "s3://mail", "endpoint": endpoint}, "is no endpoint", "write the URL")
            for endpoint in (
                "s3.example",
                "https://",
                "https://s3.example:0",
                "https://a@s3.example/b",
            )
        ),
        (
            {"url": "s3://mail", "endpoint": "http://s3.example"},
            "would let others read mail: http is for loopback only",
            "write https",
        ),
        ({"url": "s3://mail", "access_key_id": "AKIA"}, "has half of a key", "set both"),
        ({"url": "s3://mail", "orphan_hours": 0}, "greater than or equal to 1", ""),
    ],
)
def test_a_wrong_value_is_refused(settings: dict[str, Any], cause: str, remedy: str) -> None:
    with pytest.raises(ValidationError) as caught:
        ObjectSettings.model_validate(settings)
    [error] = caught.value.errors()
    assert cause in error["msg"]
    assert remedy in error.get("ctx", {}).get("remedy", "")


def test_urls_end_without_a_slash_and_files_start_at_the_configuration() -> None:
    given = {
        "url": "s3://mail/held/",
        "endpoint": "http://127.0.0.1:9000/",
        "access_key_id": "AKIA",
        "secret_key_file": "secret",
    }
    settings = ObjectSettings.model_validate(given, context={"directory": Path("/etc/r")})
    assert (settings.url, settings.endpoint) == ("s3://mail/held", "http://127.0.0.1:9000")
    assert settings.secret_key_file == Path("/etc/r/secret")


def test_orphans_have_hours_only_in_an_object_store() -> None:
    assert ObjectSettings().hours_of_grace is None
    assert ObjectSettings(url="s3://mail").hours_of_grace == 24
