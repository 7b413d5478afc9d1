"""`recsys import` as it is called: previews, options and exit codes."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli import import_files
from recsys.core.errors import ConfigurationError

AT = 1_600_000_000


@pytest.fixture(autouse=True)
def without_stores(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HBASE_THRIFT", "REDIS_URL", "RECSYS_SHOP_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(import_files.app, [str(each) for each in arguments])


def test_a_dry_run_shows_what_would_be_imported_and_stores_nothing(tmp_path: Path) -> None:
    text = "id,customer,sku,type,date\n" + "".join(
        f"1,guest,s{n % 7},{'view' if n % 2 else 'buy'},{AT + n}\n" for n in range(150)
    )
    Path("events.csv").write_text(text + "2,ann,s1,view,1990-01-01\n3,bob,s1,shrug,2020-01-01\n")

    done = run("events", "events.csv", "--dry-run")

    assert done.exit_code == 0, done.stderr
    shown = [line.strip() for line in done.stdout.splitlines()]
    assert shown[0] == "events.csv: 152 rows, 151 would be stored as events"
    for line in (
        "customer -> user_id", "sku -> item_id", "date -> timestamp", "unused: id", "76 view",
        "75 purchase", "from 1990-01-01 00:00:00 UTC to 2020-09-13 12:29:09 UTC", "2 users",
        "7 items", "warning: there are events before 1995",
        "warning: user 'guest' has 99% of the events",
    ):  # fmt: skip
        assert line in shown
    assert any(line.startswith("1 rejected: event_type: 'shrug' is not one of") for line in shown)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["events.csv"]


def test_a_dry_run_counts_what_an_import_would_take_for_one_event() -> None:
    rows = "".join(f"{n % 2},u{n},s,view,{AT}\n" for n in range(10))
    Path("events.csv").write_text(f"event_id,customer,sku,type,date\n{rows}")

    shown = run("events", "events.csv", "--dry-run").stdout

    assert "10 rows, 2 would be stored as events" in shown
    assert "8 duplicate: the event of an earlier row" in shown
    assert "leave it out by --mapping event_id=" in shown
    without = run("events", "events.csv", "--dry-run", "--mapping", "event_id=").stdout
    assert "10 rows, 10 would be stored as events" in without


def test_a_dry_run_warns_of_a_file_that_would_empty_the_catalogue() -> None:
    Path("properties.csv").write_text("timestamp,itemid,property,value\n1,2,colour,red\n")

    shown = run("items", "properties.csv", "--dry-run").stdout

    assert "warning: the file has nothing but ids" in shown


def test_a_dry_run_ends_as_the_import_would() -> None:
    Path("a.csv").write_text(f"customer,sku,type,date\nann,s1,shrug,{AT}\n")
    Path("b.csv").write_text(f"customer,sku,type,date\nann,s1,view,{AT}\n")

    done = run("events", "a.csv", "b.csv", "--dry-run")

    assert done.exit_code == 4
    assert "b.csv: 1 row, 1 would be stored" in done.stdout
    assert run("events", "a.csv", "--dry-run", "--max-rejected", "1").exit_code == 0


def test_a_dry_run_of_items(tmp_path: Path) -> None:
    Path("items.csv").write_text('sku;name;Preis\n1;Lamp;"9,50"\n2;Hat;free\n')

    done = run("items", "items.csv", "--dry-run", "--mapping", "Preis=price")

    assert done.exit_code == 0, done.stderr
    assert "2 would be stored as items" in done.stdout
    assert "1 values left out: price: must be a number" in done.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--no-header",), "--no-header and --columns NAME,... belong together"),
        (("--columns", "a,b"), "--no-header and --columns NAME,... belong together"),
        (("--no-header", "--columns", "a,a"), "a name is there twice"),
        (("--timezone", "Mars/Base"), "no such time zone"),
        (("--encoding", "klingon"), "no such encoding"),
        (("--delimiter", '"'), "expected a character"),
    ],
)
def test_an_option_that_makes_no_sense_is_refused(options: tuple[str, ...], message: str) -> None:
    Path("events.csv").write_text("user_id,item_id,type,date\n")

    done = run("events", "events.csv", "--dry-run", *options)

    assert isinstance(done.exception, ConfigurationError)
    assert message in str(done.exception)


def test_all_options_of_a_file_at_once(tmp_path: Path) -> None:
    lines = "1::10::3::20/10/2019 12:30\nMüller::11::4::21/10/2019 12:30\n"
    Path("ratings.dat").write_bytes(lines.encode("cp1252"))

    done = run(
        "events", "ratings.dat", "--dry-run", "--no-header", "--columns",
        "user_id,item_id,stars,at", "--mapping", "at=timestamp", "--delimiter", "::",
        "--encoding", "cp1252", "--quoting", "none", "--event-type", "rating",
        "--timestamp-format", "%d/%m/%Y %H:%M", "--timezone", "Europe/Berlin",
    )  # fmt: skip

    assert done.exit_code == 0, done.stderr
    assert "2 would be stored" in done.stdout
    assert "from 2019-10-20 10:30:00 UTC" in done.stdout


def test_help_groups_its_options() -> None:
    shown = run("events", "--help").stdout
    for panel in ("How the file is written", "What its columns are", "How its values are written"):
        assert panel in shown


@pytest.mark.parametrize("other", ["--again", "--dry-run"])
def test_undoing_goes_with_no_other_wish(other: str) -> None:
    Path("events.csv").write_text("user_id,item_id,event_type,timestamp\n")

    done = run("events", "events.csv", "--undo", other)

    assert done.exit_code == 2
    assert "goes with neither" in done.stderr
