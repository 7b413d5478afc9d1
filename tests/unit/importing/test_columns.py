"""Finding out which column holds which field."""

import pytest

from recsys.core.errors import ConfigurationError
from recsys.importing.columns import EVENT_FIELDS, ITEM_FIELDS, resolve


def test_usual_names_are_found_by_themselves() -> None:
    columns = ["Event Time", "event_type", "product_id", "price", "user_id", "user_session"]

    assert resolve(EVENT_FIELDS, columns, []) == {
        "timestamp": "Event Time",
        "event_type": "event_type",
        "item_id": "product_id",
        "price": "price",
        "user_id": "user_id",
    }


def test_the_users_word_goes_before_guessing() -> None:
    columns = ["user_id", "Kunde", "sku", "type", "ts"]

    chosen = resolve(EVENT_FIELDS, columns, ["Kunde=user_id", "ts=timestamp"])

    assert chosen["user_id"] == "Kunde"
    assert chosen["timestamp"] == "ts"


def test_a_column_named_for_one_field_is_not_guessed_for_another() -> None:
    chosen = resolve(ITEM_FIELDS, ["sku", "description"], ["description=brand"])

    assert chosen == {"item_id": "sku", "brand": "description"}


def test_a_column_name_may_hold_an_equals_sign() -> None:
    assert resolve(ITEM_FIELDS, ["a=b"], ["a=b=item_id"]) == {"item_id": "a=b"}


def test_further_columns_become_attributes() -> None:
    chosen = resolve(ITEM_FIELDS, ["id", "Farbe"], ["Farbe=attributes.colour"])

    assert chosen["attributes.colour"] == "Farbe"


def test_missing_columns_are_named_with_what_is_there_and_an_example() -> None:
    with pytest.raises(ConfigurationError) as caught:
        resolve(EVENT_FIELDS, ["who", "sku", "type"], [])

    assert str(caught.value) == (
        "no column for timestamp, user_id of the events. The file has: who, sku, type. "
        "Name the column, for example: --mapping who=timestamp"
    )


def test_the_example_takes_a_column_that_is_no_other_field() -> None:
    with pytest.raises(ConfigurationError, match="for example: --mapping when=timestamp"):
        resolve(EVENT_FIELDS, ["user_id", "item_id", "when"], [], constants=["event_type"])
    with pytest.raises(ConfigurationError, match="for example: --mapping COLUMN=timestamp"):
        resolve(EVENT_FIELDS, ["user_id", "item_id"], [], constants=["event_type"])


def test_a_constant_needs_no_column() -> None:
    assert "event_type" not in resolve(
        EVENT_FIELDS, ["user", "item", "date"], [], constants=["event_type"]
    )


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("sku=colour", "'colour' is no field of events"),
        ("sku", "'sku' is no field of events"),
        ("nix=user_id", "there is no column 'nix'; the file has: sku"),
        ("sku=attributes.x", "is no field of events"),
    ],
)
def test_a_mapping_that_makes_no_sense_is_refused(entry: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        resolve(EVENT_FIELDS, ["sku"], [entry])
