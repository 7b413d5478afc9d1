"""The RPC contract quotes limits in its comments, where nothing but this test keeps them right."""

import re
from pathlib import Path

import pytest

from recsys.core import limits
from recsys.rpc.questions import MAX_QUESTIONS, MAX_QUESTIONS_UNDER_WAY

PROTO = Path(__file__).parents[3] / "proto" / "recsys" / "rpc" / "v1"

QUOTED = {
    ("ingest", "repeated Event events"): f"1..{limits.MAX_EVENTS}.",
    ("ingest", "repeated string excluded_item_ids"): (
        f"At most {limits.MAX_SESSION_ITEMS + limits.MAX_EXCLUDED_ITEMS + limits.MAX_PAGED_ITEMS}."
    ),
    ("recommender", "repeated string excluded_item_ids"): (f"At most {limits.MAX_EXCLUDED_ITEMS}."),
    ("ingest", "map<string, string> context"): (
        f"At most {limits.MAX_CONTEXT_ENTRIES} entries; "
        f"names of at most {limits.MAX_CONTEXT_KEY_CHARACTERS} of A-Z a-z 0-9 _ . - that begin with"
        f" a letter or _; values of at most {limits.MAX_CONTEXT_VALUE_CHARACTERS} characters."
    ),
    ("ingest", "uint32 limit"): f"1..{limits.MAX_LIMIT}.",
    ("recommender", "uint32 limit"): f"1..{limits.MAX_LIMIT}.",
    ("recommender", "repeated string item_ids"): f"1..{limits.MAX_SESSION_ITEMS},",
    ("recommender", "repeated string reranked_item_ids"): f"{limits.MAX_RERANKED_ITEMS}",
    ("recommender", "repeated RecommendRequest requests"): f"1..{limits.MAX_PAGE_PLACEMENTS}.",
    ("recommender", "repeated Question questions"): (
        f"{MAX_QUESTIONS} at most; more end the call with INVALID_ARGUMENT. "
        f"With {MAX_QUESTIONS_UNDER_WAY - MAX_QUESTIONS} of a call unanswered,"
    ),
}


def comments_of(file: str, field: str) -> list[str]:
    text = (PROTO / f"{file}.proto").read_text(encoding="utf-8")
    found = re.findall(rf"((?:^ *// .*\n)+) *{field} = ", text, re.MULTILINE)
    return [" ".join(re.findall(r"// (.*)", comment)) for comment in found]


@pytest.mark.parametrize(("place", "quote"), QUOTED.items())
def test_the_rpc_contract_quotes_the_limits(place: tuple[str, str], quote: str) -> None:
    comments = comments_of(*place)
    assert comments
    assert all(quote in comment for comment in comments)
