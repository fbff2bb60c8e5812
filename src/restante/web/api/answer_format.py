"""The form of an answer that a client asks for: by a parameter, or by its header Accept."""

from typing import Final

ANY: Final = "*/*"
JSON: Final = "application/json"


def asks_for(media_type: str, accept: str) -> bool:
    """Tell whether a header Accept names this type before JSON and before any type."""
    for part in accept.lower().split(","):
        named = part.partition(";")[0].strip()
        if named in (media_type, ANY, JSON):
            return named == media_type
    return False
