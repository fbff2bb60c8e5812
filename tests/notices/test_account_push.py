"""The URLs of Apprise that an account may use: HTTPS services, and harmless arguments."""

import re
from pathlib import Path

import pytest

from restante.notices.account_push import ARGUMENTS, SERVICES, check_account_push
from restante.notices.targets import NotAChannelTarget

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "T1JJ3T3L2-A1BRTD4JD-TIiajkdnlazkcOXrIdevi7FQ"


@pytest.mark.parametrize(
    "url",
    [
        f"slack://{TOKEN}/#alerts?footer=no&image=yes",
        f"tgram://{TOKEN}/12345/?silent=yes&format=html",
        f"JSONS://hook.example/in/{TOKEN}?+X-Token=a&:message=text&method=PUT",
        "workflows://prod.example:443/workflow/signature/?api-version=2022",
        "discord://a/b",
        "ntfys://ntfy.example/topic?priority=5&",
    ],
)
def test_services_that_are_called_by_https_are_taken(url: str) -> None:
    check_account_push(url)


def test_where_the_same_service_has_tls_the_remedy_says_so() -> None:
    with pytest.raises(NotAChannelTarget) as refused:
        check_account_push("json://hook.example/")
    assert refused.value.remedy.startswith("write jsons://; ")


@pytest.mark.parametrize(
    "scheme",
    [
        *("json", "xml", "form", "gotify", "mailto", "mailtos", "rsyslog", "irc", "mqtt"),
        *(
            "aprs",
            "fcm",
            "vapid",
            "apprise",
            "apprises",
            "http",
            "https",
            "file",
            "dbus",
            "matrixs",
        ),
    ],
)
def test_other_services_are_refused(scheme: str) -> None:
    with pytest.raises(NotAChannelTarget, match=f"{scheme}:// is no HTTPS service") as refused:
        check_account_push(f"{scheme}://hook.example/{TOKEN}")
    assert TOKEN not in str(refused.value)


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ("?verify=no", "verify"),
        ("?to=x&VERIFY=no", "verify"),
        ("?%76erify=no", "verify"),
        ("? verify =no", "verify"),
        ("?to=x;template=/etc/passwd", "template"),
        ("?to=x?template=/etc/passwd", "template"),
        ("?keyfile=/etc/passwd", "keyfile"),
        ("?subfile=x", "subfile"),
        ("?attach=/etc/passwd", "attach"),
        ("?cert=/etc/passwd", "cert"),
        (f"?{TOKEN}", "of that name"),
    ],
)
def test_other_arguments_are_refused(arguments: str, shown: str) -> None:
    with pytest.raises(NotAChannelTarget, match=f"cannot have the argument {shown}") as refused:
        check_account_push(f"discord://a/b/{arguments}")
    assert TOKEN not in str(refused.value)
    assert refused.value.remedy.startswith("leave it out")


def test_the_guide_lists_services_and_arguments() -> None:
    guide = (ROOT / "docs/how-to/get-notices.md").read_text(encoding="utf-8")
    section = guide.partition("### Apprise for accounts")[2].partition("\n## ")[0]
    lists = re.findall(r"```text\n(.*?)```", section, re.DOTALL)
    assert [set(one.split()) for one in lists] == [SERVICES, ARGUMENTS]
