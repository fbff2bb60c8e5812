import pytest

from restante.web.portal.browser_name import browser_name

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1"


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (f"{CHROME} Safari/537.36", "Chrome on Linux"),
        (f"{CHROME} Safari/537.36 Edg/156.0", "Edge on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0; rv:150.0) Gecko/20100101 Firefox/150.0",
            "Firefox on Windows",
        ),
        (IPHONE, "Safari on iPhone"),
        ("Chrome/156.0", "Chrome"),
        ("curl/8.9", "curl/8.9"),
        ("x" * 500, "x" * 40),
        ("", "an unknown browser"),
    ],
    ids=range(8),
)
def test_a_browser_is_named_in_few_words(agent: str, name: str) -> None:
    assert browser_name(agent) == name
