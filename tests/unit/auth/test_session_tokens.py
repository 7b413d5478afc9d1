"""What a shop's server signs, and nothing else, lets a browser act for one user for a while."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.auth.session_tokens import MAX_SESSION_SECONDS, session_user, sign_session

SECRET = "ab" * 32
NOW = 1_700_000_000.0


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def a_token(claims: Any, header: Any = None, secret: str = SECRET) -> str:
    """By RFC 7515, step by step."""
    header = {"alg": "HS256"} if header is None else header
    parts = [base64url(json.dumps(part).encode()) for part in (header, claims)]
    signature = hmac.new(secret.encode(), ".".join(parts).encode(), hashlib.sha256).digest()
    return ".".join([*parts, base64url(signature)])


@pytest.mark.parametrize("user_id", ["ann", "a/b c", "ünïcode 🦊", "x" * 256])
def test_a_token_names_its_user(user_id: str) -> None:
    token = sign_session(SECRET, user_id, NOW + 60)
    assert session_user(SECRET, token, NOW) == user_id
    assert session_user(SECRET, a_token({"sub": user_id, "exp": NOW + 60}), NOW) == user_id


def test_a_token_is_over_when_it_says() -> None:
    token = sign_session(SECRET, "ann", NOW + 60)
    assert session_user(SECRET, token, NOW + 59) == "ann"
    assert session_user(SECRET, token, NOW + 60) is None


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": "ann"},
        {"exp": NOW + 60},
        {"sub": "", "exp": NOW + 60},
        {"sub": "a\0b", "exp": NOW + 60},
        {"sub": 5, "exp": NOW + 60},
        {"sub": "ann", "exp": "soon"},
        {"sub": "ann", "exp": True},
        {"sub": "ann", "exp": float("nan")},
        {"sub": "ann", "exp": float("inf")},
        {"sub": "ann", "exp": NOW + 2 * MAX_SESSION_SECONDS},
        {"sub": "ann", "exp": NOW + 60, "nbf": NOW + 3600},
        {"sub": "ann", "exp": NOW + 60, "nbf": "now"},
        ["sub", "ann"],
    ],
)
def test_claims_that_name_no_user_or_no_near_end_are_worth_nothing(claims: Any) -> None:
    assert session_user(SECRET, a_token(claims), NOW) is None


@pytest.mark.parametrize(
    "header", [{"alg": "none"}, {"alg": "HS512"}, {"alg": "RS256"}, {}, "HS256"]
)
def test_no_other_algorithm_is_read(header: Any) -> None:
    assert session_user(SECRET, a_token({"sub": "ann", "exp": NOW + 60}, header), NOW) is None


def test_another_secret_and_an_altered_token_are_worth_nothing() -> None:
    token = sign_session(SECRET, "ann", NOW + 60)
    header, _, signature = token.split(".")
    claims = base64url(json.dumps({"sub": "bob", "exp": NOW + 60}).encode())
    assert session_user("cd" * 32, token, NOW) is None
    assert session_user(SECRET, f"{header}.{claims}.{signature}", NOW) is None
    for altered in (f"{token}A", token[:-2], f".{token}", f"{token}.", f"{header}..", ""):
        assert session_user(SECRET, altered, NOW) is None


@given(st.text(max_size=60))
def test_whatever_comes_as_a_token_ends_in_an_answer(text: str) -> None:
    assert session_user(SECRET, text, NOW) is None
    assert session_user(SECRET, f"{text}.{text}.{text}", NOW) is None
