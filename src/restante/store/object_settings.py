"""The settings of an object store for large content."""

import re
from typing import Annotated, Final, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from restante.network.setting_error import setting_error
from restante.network.setting_paths import ConfigPath
from restante.network.web_url import web_url

_LOOPBACK_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def _check_bucket(text: str) -> str:
    try:
        url = urlsplit(text)
    except ValueError:  # the host is no address
        url = urlsplit("")
    if text and (
        url.scheme != "s3"
        or not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", url.netloc)
        or not re.fullmatch(r"(/(?!\.+(/|$))[A-Za-z0-9._-]+)*/?", url.path)
        or url.query
        or url.fragment
    ):
        raise setting_error("is no bucket", 'write "s3://BUCKET" or "s3://BUCKET/PREFIX"')
    return text.rstrip("/")


def _check_object_endpoint(text: str) -> str:
    url = web_url(text)
    if not text:
        return text
    if url is None or url.path.strip("/") or url.query or url.fragment or url.username:
        remedy = 'write the URL of the object store alone, such as "https://s3.example.net"'
        raise setting_error("is no endpoint", remedy)
    if url.scheme == "http" and url.hostname not in _LOOPBACK_HOSTS:
        cause = "would let others read mail: http is for loopback only"
        raise setting_error(
            cause, "write https, and name a private authority as ca_file of [objects]"
        )
    return text.rstrip("/")


class ObjectSettings(BaseModel):
    """`[objects]`: content of 1 MiB or more, beside a store on PostgreSQL."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Annotated[str, AfterValidator(_check_bucket)] = Field(
        default="",
        description="Bucket and prefix for content of 1 MiB or more: `s3://BUCKET/PREFIX`. Nothing"
        " else may use that prefix. Empty: all content is in the database. Needs"
        " `restante[objects]`, and a store on PostgreSQL.",
        examples=["s3://restante-mail/held"],
    )
    endpoint: Annotated[str, AfterValidator(_check_object_endpoint)] = Field(
        default="",
        description="URL of the object store. Empty: that of Amazon S3 for `region`.",
        examples=["https://s3.example.net"],
    )
    region: str = Field(
        default="us-east-1",
        pattern=r"^[A-Za-z0-9-]+$",
        description="Region of the bucket. Many other object stores ignore it.",
    )
    access_key_id: str = Field(
        default="",
        description="Access key, whose secret is in `secret_key_file`. Empty: the environment"
        " (`AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`), or the role of the machine.",
        examples=["AKIAIOSFODNN7EXAMPLE"],
    )
    secret_key_file: ConfigPath | None = Field(
        default=None,
        description="File with the secret of `access_key_id`, read at the start.",
        examples=["objects.secret"],
    )
    ca_file: ConfigPath | None = Field(
        default=None,
        description="PEM file with a private authority that may sign the certificate of `endpoint`,"
        " beside those of the system.",
        examples=["objects-ca.pem"],
    )
    orphan_hours: int = Field(
        default=24,
        ge=1,
        le=24 * 365,
        description="Hours for which an object is kept that belongs to no message, from when it was"
        " first seen without one.",
    )

    @property
    def hours_of_grace(self) -> int | None:
        """The hours for orphans; None without an object store."""
        return self.orphan_hours if self.url else None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        fields = type(self).model_fields
        others = {name for name in fields if getattr(self, name) != fields[name].default}
        if others and not self.url:
            raise setting_error("needs `url`", f"add url, or remove {', '.join(sorted(others))}")
        if bool(self.access_key_id) != (self.secret_key_file is not None):
            remedy = "set both access_key_id and secret_key_file, or none for the environment"
            raise setting_error("has half of a key", remedy)
        return self
