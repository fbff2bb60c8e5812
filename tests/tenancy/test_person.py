"""A person is found by an address in each spelling of it, and nobody else is."""

from dataclasses import replace

import pytest

from restante.tenancy.person import read_person

ANNA = read_person("Anna@Alpha.example")
MARK = "erased-1"


@pytest.mark.parametrize(
    "path",
    ["anna@alpha.example", "ANNA@ALPHA.EXAMPLE", '"anna"@alpha.example', "anna@alpha.example."],
)
def test_each_spelling_of_a_path_is_the_person(path: str) -> None:
    assert ANNA.is_at(path)
    assert ANNA.path_without(path, MARK) == MARK


@pytest.mark.parametrize(
    "path",
    ["", "anna", "joanna@alpha.example", "anna@beta.example", "anna+x@alpha.example", "anna@x..y"],
)
def test_another_path_stays(path: str) -> None:
    assert ANNA.path_without(path, MARK) == path


def test_a_tag_is_the_persons_where_the_domain_ignores_tags() -> None:
    tagged = replace(ANNA, has_tags=True)

    assert tagged.is_at("anna+news@alpha.example")
    assert tagged.without("to <anna+news@alpha.example>", MARK) == "to <erased-1>"
    assert not tagged.is_at("annabel+anna@alpha.example")


def test_an_address_with_a_tag_is_only_itself() -> None:
    tagged = replace(read_person("anna+a@alpha.example"), has_tags=True)

    assert not tagged.is_at("anna+a+b@alpha.example")


def test_both_forms_of_an_international_domain_are_found() -> None:
    person = read_person("jörg@bücher.example")

    assert person.domain == "xn--bcher-kva.example"
    assert person.is_at("JÖRG@BÜCHER.example")
    assert person.without("a jörg@bücher.example b jörg@xn--bcher-kva.example", MARK) == (
        "a erased-1 b erased-1"
    )


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("550 <Anna@alpha.example> unknown", "550 <erased-1> unknown"),
        ("user anna@alpha.example (alpha)", "user erased-1 (alpha)"),
        ("to=anna@alpha.example.", "to=erased-1."),
        ("joanna@alpha.example", "joanna@alpha.example"),
        ("x.anna@alpha.example", "x.anna@alpha.example"),
        ("anna@alpha.example.org", "anna@alpha.example.org"),
    ],
)
def test_only_the_whole_address_is_replaced_in_texts(text: str, left: str) -> None:
    assert ANNA.without(text, MARK) == left
    assert ANNA.is_named_in(text) == (text != left)


def test_texts_inside_json_are_replaced() -> None:
    text = '{"a": ["anna@alpha.example", 1], "anna@alpha.example": null}'

    assert ANNA.json_without(text, MARK) == '{"a":["erased-1",1],"erased-1":null}'
    assert ANNA.json_without("", MARK) == ""
    assert ANNA.json_without(None, MARK) is None
    assert ANNA.json_without('{"a": damaged anna@alpha.example', MARK) == '{"a": damaged erased-1'
    assert ANNA.json_without('{"a": 1}', MARK) == '{"a": 1}'


@pytest.mark.parametrize("text", ["", "anna", "@alpha.example", "anna@", "anna@x..y", "a\nb@x.y"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a"):
        read_person(text)
