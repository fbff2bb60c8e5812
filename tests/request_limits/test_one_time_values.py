"""A value is good once, for its time. A flood costs its owner first."""

from restante.request_limits.one_time_values import OneTimeValues


def test_a_value_is_taken_once() -> None:
    values: OneTimeValues[str] = OneTimeValues(30.0)
    values.put("a", "one", "ana", 100.0)
    assert values.peek("a", 100.0) == "one"
    assert values.take("a", 129.9) == "one"
    assert values.take("a", 129.9) is None
    assert values.take("other", 100.0) is None


def test_a_value_is_too_old_after_its_time() -> None:
    values: OneTimeValues[str] = OneTimeValues(30.0)
    values.put("a", "one", "ana", 100.0)
    assert values.peek("a", 130.0) is None
    assert values.take("a", 130.0) is None
    values.put("b", "two", "ana", 100.0)
    values.put("c", "three", "ana", 130.0)
    assert len(values) == 1


def test_the_oldest_of_an_owner_goes_first() -> None:
    values: OneTimeValues[int] = OneTimeValues(30.0, most_of_owner=2)
    values.put("z", 0, "ben", 100.0)
    for number, key in enumerate("abc"):
        values.put(key, number, "ana", 101.0)
    assert [values.take(key, 102.0) for key in "abcz"] == [None, 1, 2, 0]


def test_of_too_many_the_owner_with_the_most_loses_one() -> None:
    values: OneTimeValues[str] = OneTimeValues(30.0, most_of_owner=3, most=4)
    values.put("b", "ben", "ben", 100.0)
    for key in "xyz":
        values.put(key, "flood", "ana", 101.0)
    values.put("c", "cy", "cy", 102.0)
    assert len(values) == 4
    assert values.take("x", 102.0) is None
    assert (values.take("b", 102.0), values.take("c", 102.0)) == ("ben", "cy")


def test_nothing_stays_behind() -> None:
    values: OneTimeValues[int] = OneTimeValues(30.0, most=50)
    for number in range(200):
        values.put(str(number), number, f"owner {number}", float(number))
    values.put("last", 0, "last", 10_000.0)
    assert len(values) == 1
    assert len(values._of_owners) == 1
