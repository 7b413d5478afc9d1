"""The API held against its own description; schemathesis makes up the requests."""

import re
import subprocess
import sys
from pathlib import Path

import httpx

from recsys.stores.redis.connect import connect
from recsys.stores.redis.reports import RedisReports
from tests.builders import a_report
from tests.e2e.shop import TENANT, Shop

_EXAMPLES_PER_OPERATION = 100
# Two minutes where others are busy, seven where they take most of it.
_SECONDS = 480
# A time in the future is refused, which no schema can say. That a batch is otherwise taken exactly
# when it fits the schema is tested by test_openapi.py. Nor can one say which ETag an item has,
# which text is a filter, that an item expires after it is published, or that one of two fields is
# needed; that lists are for users and items whom nobody knows, too, as of one who was forgotten;
# or that changing a user of whom nothing is said, such as one who was forgotten, creates one.
_CONFIG = """
[[operations]]
include-path-regex = "recommend|similar|rerank"
checks.use_after_free.enabled = false
checks.positive_data_acceptance.expected-statuses = ["2xx", 401, 403, 404, 409, 422, 429, "5xx"]

[[operations]]
include-name = "PATCH /v1/users/{user_id}"
checks.use_after_free.enabled = false

[[operations]]
include-name = "POST /v1/events"
checks.positive_data_acceptance.expected-statuses = ["2xx", 401, 403, 404, 409, 422, 429, "5xx"]

[[operations]]
include-path = "/v1/items/{item_id}"
checks.positive_data_acceptance.expected-statuses = ["2xx", "3xx", 404, 409, 412, 422, "5xx"]

# This phase makes sessions of hundreds of ids: more than the balancer's buffer holds, which answers
# 400 by itself then.
[[operations]]
include-path = "/v1/recommendations"
phases.stateful.enabled = false

[[operations]]
include-path = "/v1/reports/experiments"
checks.positive_data_acceptance.expected-statuses = ["2xx", "3xx", 404, 409, 412, "5xx"]

# Its lists of items with lists of attributes are too deep for what this phase compiles.
[[operations]]
include-path = "/v1/items:batchUpsert"
checks.positive_data_acceptance.expected-statuses = ["2xx", 404, 409, 422, 429, "5xx"]
phases.coverage.enabled = false
"""


def test_the_api_does_what_its_description_says(shop: Shop, tmp_path: Path) -> None:
    """Through the balancer, by all checks: among others that what fits the schema is taken, what
    does not is refused, and every answer is as described."""
    (tmp_path / "schemathesis.toml").write_text(_CONFIG)
    with connect(shop.stack.settings.redis_url) as redis:
        RedisReports(redis).publish(TENANT, a_report())
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")),
            "run",
            f"{shop.stack.settings.url}/openapi.json",
            # All checks by default: those that are named here could not be turned off by operation.
            # This one is tested below: there are more routes than a source may try keys.
            "--exclude-checks=ignored_auth",
            f"--max-examples={_EXAMPLES_PER_OPERATION}",
            # The same requests each time.
            "--generation-deterministic",
            "--continue-on-failure",
            # Two that parse Python at once break Python 3.11 now and then (its issue 106905).
            "--workers=1",
            f"--header=X-API-Key: {shop.key}",
            "--no-color",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )

    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "No issues found" in said, said
    operations = re.search(r"Selected: (\d+)/(\d+)\s+Tested: (\d+)", said)
    assert operations, said
    # All of them, and with a key that opens them: otherwise a warning says so.
    assert len(set(operations.groups())) == 1, said
    assert "WARNINGS" not in said, said


def test_without_a_key_no_route_answers(shop: Shop) -> None:
    with httpx.Client(base_url=shop.stack.settings.url) as nobody:
        paths = nobody.get("/openapi.json").json()["paths"]
        locked = [
            (method, path)
            for path, operations in paths.items()
            for method, operation in operations.items()
            if operation.get("security")
        ]
        assert len(locked) > 10
        for method, path in locked:
            done = nobody.request(method, re.sub(r"\{\w+\}", "x", path))
            # 429 from the tenth on: too many wrong keys.
            assert done.status_code in {401, 429}, (method, path)
