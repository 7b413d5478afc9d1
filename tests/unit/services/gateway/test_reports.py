"""The report of experiments over REST."""

from tests.builders import a_report
from tests.unit.services.gateway.asgi_client import Client
from tests.unit.services.gateway.backends import NOW_MS
from tests.unit.services.gateway.conftest import World

REPORT = "/v1/reports/experiments"


def test_before_the_first_report_the_answer_says_what_makes_one(world: World) -> None:
    answer = world.client(world.keys["other"]).get(REPORT)
    assert answer.status == 404
    assert "`recsys report --publish --days 28 --tenant other`" in answer.json["detail"]


def test_the_last_report_is_read_with_its_time_and_age(world: World, api: Client) -> None:
    made_ms = NOW_MS - 90_500
    world.ingest.reports.publish("shop", a_report(made_ms=made_ms, end_ms=made_ms, start_ms=None))
    answer = api.get(REPORT)
    assert answer.status == 200
    found = answer.json
    # NOW_MS is 2023-11-14T22:13:20Z.
    assert found["made_time"] == found["end_time"] == "2023-11-14T22:11:49.500000Z"
    assert (found["age_seconds"], found["start_time"]) == (90, None)
    alone, control, _ = found["outcomes"]
    assert (alone["experiment"], alone["variant"]) == ("", "")
    assert alone["rates"]["click_rate"] == {"mean": 0.5, "low": None, "high": None}
    assert control | {"rates": None} == {
        "placement": "home",
        "experiment": "mixed",
        "variant": "control",
        "users": 10,
        "shown": 80,
        "clicked": 20,
        "carted": 4,
        "orders": 2,
        "revenue": 12.5,
        "rates": None,
    }
    [difference] = found["differences"]
    assert (difference["variant"], difference["baseline"]) == ("größer", "control")
    assert found["sample_ratio_mismatches"] == [
        {
            "placement": "home",
            "experiment": "mixed",
            "p_value": 0.0005,
            "groups": [
                {"variant": "control", "users": 10, "expected": 5.0},
                {"variant": "größer", "users": 0, "expected": 5.0},
            ],
        }
    ]
    assert difference["rates"]["conversion"] == {"mean": 0.25, "low": 0.125, "high": 0.375}


def test_who_has_the_report_is_not_sent_it_again(world: World, api: Client) -> None:
    world.ingest.reports.publish("shop", a_report())
    tag = api.get(REPORT).headers["etag"]
    assert tag.startswith('W/"')
    again = api.get(REPORT, If_None_Match=tag)
    assert (again.status, again.body, again.headers["etag"]) == (304, b"", tag)
    world.ingest.reports.publish("shop", a_report(outcomes_left_out=1))
    assert api.get(REPORT, If_None_Match=tag).json["outcomes_left_out"] == 1
    assert api.get(REPORT, If_Match='"another"').status == 412


def test_a_dashboard_reads_it_and_a_page_does_not(world: World) -> None:
    world.ingest.reports.publish("shop", a_report())
    assert world.client(world.keys["read"]).get(REPORT).status == 200
    answer = world.client(world.keys["public"]).get(REPORT)
    assert answer.status == 403
    assert "this one is public" in answer.json["detail"]
    assert world.client(world.keys["all"]).get(f"{REPORT}?days=7").status == 422
