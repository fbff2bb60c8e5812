"""How the object store for large content is reached: the settings of `[objects]`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

LARGE: Final = 1 << 20  # octets: content of this size, or larger, is an object


@dataclass(frozen=True, slots=True)
class ObjectAccess:
    """The settings of an operator for an object store."""

    url: str  # s3://BUCKET or s3://BUCKET/PREFIX; file:///DIRECTORY for tests only
    endpoint: str = ""  # "": that of Amazon for the region
    region: str = ""
    access_key_id: str = ""  # "": the environment, or the role of the machine
    secret_key_file: Path | None = None  # read once, when the store is opened
    ca_file: Path | None = None  # of a private authority
    directory: Path | None = None  # of content on its way to the object store; None: temporary
    smallest: int = LARGE  # octets of content that is an object
