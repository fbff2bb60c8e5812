"""Whether the library for object stores is installed, an extra of this program."""

from importlib.util import find_spec
from typing import Final

_DRIVER: Final = "obstore"


def object_driver_is_installed() -> bool:
    """Tell whether it is, without the cost of loading it."""
    return find_spec(_DRIVER) is not None
