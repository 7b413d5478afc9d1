"""Filters against the same conditions on plain rows, and what is said of those that are wrong."""

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.core.catalogue import CatalogueColumns, CatalogueRow
from recsys.core.errors import InvalidInput
from recsys.core.limits import MAX_FILTER_CHARACTERS
from recsys.core.serving.bound_filters import bound_filter, names_user
from recsys.core.serving.filters import parse_filter, parse_user_condition

ROWS = {
    "lamp": CatalogueRow(
        *("L", 5.0, True, ("Home", "Light"), "Acme"),
        {"colour": "white", "watts": 7.5, "new": True},
        ("sale", "summer"),
    ),
    "bare": CatalogueRow(None, None, available=True),
    "rug": CatalogueRow("R", 25.0, True, ("Home",), 'H "&" Co', {"colour": "red", "watts": 60.0}),
    "odd": CatalogueRow("O", 5.5, True, ("x",), "Acme", {"colour": 1.0, "new": "yes", "a b": "c"}),
}


def columns_of(rows: dict[str, CatalogueRow]) -> CatalogueColumns:
    columns = CatalogueColumns()
    columns.update(rows)
    return columns


def chosen(text: str, rows: dict[str, CatalogueRow] = ROWS) -> set[str]:
    mask = parse_filter(text)(columns_of(rows)).tolist()
    return {item_id for item_id, is_in in zip(rows, mask, strict=True) if is_in}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("price <= 5.5", {"lamp", "odd"}),
        ("price != 5", {"bare", "rug", "odd"}),
        ("price IN (5, 25)", {"lamp", "rug"}),
        ("price is null", {"bare"}),
        ("NOT price IS NULL AND price > +1e1", {"rug"}),
        ('brand = "Acme"', {"lamp", "odd"}),
        ("brand = 'H \"&\" Co'", {"rug"}),
        (r'brand = "H \"&\" Co"', {"rug"}),
        ('brand NOT IN ("Acme")', {"bare", "rug"}),
        ('category = "Home" AND category = "Light"', {"lamp"}),
        ('category != "Home"', {"bare", "odd"}),
        ('tag = "sale"', {"lamp"}),
        ('tag NOT IN ("sale", "x")', {"bare", "rug", "odd"}),
        ("tag IS NULL", {"bare", "rug", "odd"}),
        ('attributes.colour = "red" OR attributes.colour = 1', {"rug", "odd"}),
        ('attributes.colour >= "s"', {"lamp"}),
        ("attributes.watts > 7.5", {"rug"}),
        ("attributes.new = TRUE", {"lamp"}),
        ("attributes.new = 1", set()),
        ('attributes."a b" = "c"', {"odd"}),
        ("attributes.unheard_of IS NULL", set(ROWS)),
        ("not not (price = 5 or price = 25) and not brand = 'Acme'", {"rug"}),
        # AND binds closer than OR.
        ("price = 25 OR price = 5 AND brand = 'nobody'", {"rug"}),
    ],
)
def test_a_filter_chooses_what_fulfils_it(text: str, expected: set[str]) -> None:
    assert chosen(text) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "ends too early: expected ( or NOT or a field"),
        ("price", "ends too early: expected . or IN or IS or NOT or one of = != < <= > >="),
        ("price = 1 AND", "ends too early: expected ( or NOT or a field"),
        ("(price = 1", "ends too early: expected )"),
        ("price = 1)", "is not understood at character 10: expected the end"),
        ("price == 1", "is not understood at character 8: expected a number or a text in quotes"),
        ("brand = Acme", "is not understood at character 9: expected a number or a text in quotes"),
        ('brand = "Acme', "is not understood at character 9"),
        ("price = 1; DROP", "is not understood at character 10"),
        (
            "colour = 'red'",
            "at character 1: unknown field 'colour': use price, brand",
        ),
        (
            "price = 1 OR price.x = 1",
            "at character 14: use price, brand, category",
        ),
        ("price = 'x'", "at character 9: a price is a number"),
        ("price IN (1, true)", "at character 14: a price is a number"),
        ("category = 5", "at character 12: a brand, category or tag is a text in quotes"),
        ("brand > 'A'", "at character 7: > is for numbers, and for texts of attributes"),
        ("attributes.new < true", "at character 16: < is for numbers, and for texts of attributes"),
        ("__import__('os')", "is not understood at character 11"),
        ("x" * (MAX_FILTER_CHARACTERS + 1), "has 4001 characters, at most 4000 are allowed"),
    ],
)
def test_what_is_wrong_with_a_filter_is_said_with_its_place(text: str, reason: str) -> None:
    with pytest.raises(InvalidInput) as error:
        parse_filter(text)
    [problem] = error.value.problems
    assert problem.field == "filter"
    assert problem.reason.startswith(reason)


@pytest.mark.parametrize("nested", ["NOT ", "NOT(", "(", "(price=1 OR ", "NOT(price=2 AND ("])
def test_a_deeply_nested_filter_is_answered_or_refused(nested: str) -> None:
    depth = (MAX_FILTER_CHARACTERS - 10) // (len(nested) + nested.count("("))
    text = nested * depth + "price = 1" + ")" * nested.count("(") * depth
    # Whatever else is raised would be an error of the service.
    with suppress(InvalidInput):
        assert chosen(text) <= set(ROWS)


Test = Callable[[CatalogueRow], bool]
CONDITIONS: dict[str, Test] = {
    "price < 6": lambda row: row.price is not None and row.price < 6,
    "price != 5": lambda row: row.price != 5,
    "brand IN ('Acme', 'x')": lambda row: row.brand in ("Acme", "x"),
    "category = 'Home'": lambda row: "Home" in row.categories,
    "attributes.watts >= 7.5": lambda row: float(row.attributes.get("watts", -1)) >= 7.5,
    "attributes.new IS NOT NULL": lambda row: "new" in row.attributes,
}
Pair = tuple[str, Test]


def negated(one: Pair) -> Pair:
    return f"NOT ({one[0]})", lambda row: not one[1](row)


def joined(word: str, one: Pair, other: Pair) -> Pair:
    both = all if word == "AND" else any
    return f"({one[0]}) {word} ({other[0]})", lambda row: both((one[1](row), other[1](row)))


TREES = st.recursive(
    st.sampled_from(list(CONDITIONS.items())),
    lambda inner: st.one_of(
        inner.map(negated), st.builds(joined, st.sampled_from(["AND", "OR"]), inner, inner)
    ),
    max_leaves=8,
)


@given(TREES)
def test_a_filter_is_the_condition_of_each_row(tree: Pair) -> None:
    text, test = tree
    assert chosen(text) == {item_id for item_id, row in ROWS.items() if test(row)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("user.segment = 'trade'", True),
        ("user.segment != 'trade'", False),
        ("user.segment IN ('retail', 'trade') AND user.orders >= 12.5", True),
        ("user.orders > 12.5 OR user.newsletter = false", False),
        ("NOT user.country = 'DE'", True),
        ("user.country IS NULL", True),
        ("user.\"home town\" = 'Bonn'", True),
    ],
)
def test_a_condition_on_a_user_is_one_on_the_attributes(text: str, expected: bool) -> None:
    user = {"segment": "trade", "orders": 12.5, "newsletter": True, "home town": "Bonn"}
    assert parse_user_condition(text)(user) is expected
    assert parse_user_condition(text)({}) is ("NULL" in text or "!=" in text or "NOT" in text)


def test_items_and_users_have_conditions_of_their_own() -> None:
    for parse, text, field, known in (
        (parse_filter, "user.segment = 'trade'", "filter", "attributes.NAME"),
        (parse_user_condition, "attributes.size = 'M'", "when", "use user.NAME"),
        (parse_user_condition, "user = 'M'", "when", "use user.NAME"),
    ):
        with pytest.raises(InvalidInput) as caught:
            parse(text)
        [problem] = caught.value.problems
        assert problem.field == field
        assert known in problem.reason


@pytest.mark.parametrize(
    ("text", "bound", "expected"),
    [
        ("attributes.colour = user.colour", 'attributes.colour = "white"', {"lamp"}),
        ("price<=user.budget", "price<=5.5", {"lamp", "odd"}),
        (
            "brand IN ('x', user . brand) AND attributes.new = USER.new",
            'brand IN (\'x\', "H \\"&\\" Co") AND attributes.new = true',
            set(),
        ),
        ('attributes.watts > user."low watts"', "attributes.watts > 7.5", {"rug"}),
        # Nothing is said, or nothing that compares with the field.
        ("tag = user.tag", "tag = user.tag", set()),
        ("NOT tag = user.tag", "NOT tag = user.tag", set(ROWS)),
        ("brand NOT IN (user.tag)", "brand NOT IN (user.tag)", set(ROWS)),
        ("price < user.tag", "price < user.tag", set()),
        ("price < user.colour", "price < user.colour", set()),
        ("category = user.budget", "category = user.budget", set()),
        ("attributes.watts > user.new", "attributes.watts > user.new", set()),
        ("attributes.colour = user.lines", "attributes.colour = user.lines", set()),
        # A text is no value of a user.
        ("attributes.colour = 'user.colour'", "attributes.colour = 'user.colour'", set()),
    ],
)
def test_a_filter_takes_values_of_the_user(text: str, bound: str, expected: set[str]) -> None:
    user = {
        **{"colour": "white", "budget": 5.5, "brand": 'H "&" Co', "new": True},
        **{"low watts": 7.5, "lines": "a\nb"},
    }
    assert bound_filter(text, user) == bound
    assert chosen(bound) == expected
    # Unless it is bound, nothing is known of the user.
    assert names_user(text) is ("'user" not in text)
    assert names_user(bound) is (bound == text and "'user" not in text)


def test_what_is_said_of_a_user_makes_no_filter_too_long() -> None:
    text = " OR ".join(["attributes.colour = user.colour"] * 100)
    assert bound_filter(text, {"colour": "x" * 100}) == text
