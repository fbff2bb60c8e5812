"""The built site: a link that leads nowhere and a resource from outside are found."""

from pathlib import Path

import pytest

from tools.site_check import check_site, main


def site(top: Path, body: str) -> list[str]:
    (top / "part").mkdir()
    (top / "style.css").write_text("p { background: url('picture.png') }")
    (top / "part/index.html").write_text('<h1 id="title">Title</h1><a href="../page.html">up</a>')
    (top / "page.html").write_text(body)
    return [line.removeprefix("page.html: ") for line in check_site(top.resolve())]


@pytest.mark.parametrize(
    "body",
    [
        '<a href="part/index.html#title">x</a>',
        '<a href="part/#title">x</a>',
        '<a href="#here">x</a><p id="here">',
        '<a href="https://example.net/">x</a>',
        '<link rel="stylesheet" href="style.css?v=1">',
        '<link rel="canonical" href="https://example.net/">',
        '<img src="data:image/png;base64,AA">',
    ],
)
def test_a_sound_page_has_no_findings(tmp_path: Path, body: str) -> None:
    assert site(tmp_path, body) == []


@pytest.mark.parametrize(
    ("body", "finding"),
    [
        ('<a href="gone.html">x</a>', "gone.html: there is no such file"),
        ('<a href="#gone">x</a>', "#gone: there is no such place on that page"),
        ('<a href="part/#gone">x</a>', "part/#gone: there is no such place on that page"),
        ('<img src="gone.png">', "gone.png: there is no such file"),
        (
            '<script src="https://cdn.example/x.js"></script>',
            "https://cdn.example/x.js: the page loads it from outside",
        ),
        (
            '<link rel="stylesheet" href="//fonts.example/x.css">',
            "//fonts.example/x.css: the page loads it from outside",
        ),
    ],
)
def test_a_fault_of_a_page_is_found(tmp_path: Path, body: str, finding: str) -> None:
    assert site(tmp_path, body) == [finding]


def test_a_style_that_loads_from_outside_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("@import 'https://fonts.example/x.css';")
    assert list(check_site(tmp_path)) == [
        "a.css: https://fonts.example/x.css: the style loads it from outside"
    ]
    assert main(tmp_path) == 1
