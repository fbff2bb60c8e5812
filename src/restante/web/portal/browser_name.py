"""A short name for a browser, made of its header User-Agent. Pure.

It is a hint for the person who looks at a list of sessions, and nothing is decided by it.
"""

from typing import Final

# In this order: most browsers also name others, to be taken for them.
_BROWSERS: Final = (
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Vivaldi/", "Vivaldi"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
    ("BSD", "BSD"),
)
_LONGEST: Final = 40  # characters of an agent that is none of these


def browser_name(agent: str) -> str:
    """Return such as "Firefox on Linux", or the beginning of an agent that is not known."""
    browser = next((name for sign, name in _BROWSERS if sign in agent), None)
    system = next((name for sign, name in _SYSTEMS if sign in agent), None)
    if browser is None:
        return agent[:_LONGEST] or "an unknown browser"
    return f"{browser} on {system}" if system else browser
