"""`recsys evaluate`: how good the model is on files of events."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.file_options import (
    Columns,
    Decimal,
    Delimiter,
    Encoding,
    EventType,
    EventTypes,
    Explode,
    Format,
    Mapping,
    NoHeader,
    QuotingOption,
    TimestampFormat,
    TimeUnitOption,
    TimeZone,
    event_options,
    read_options,
)
from cli.output import AsJson, check_output, say, show_json
from cli.tenant_option import Tenant
from recsys.analysis.evaluate_files import EvaluationRequest, evaluate_files
from recsys.clock import utc_now_ms
from recsys.config.shops import shop_of
from recsys.core.errors import ConfigurationError
from recsys.evaluation.baselines import Baseline, of_pairs
from recsys.evaluation.baselines.by_name import BASELINES
from recsys.evaluation.data import Mask
from recsys.evaluation.files.event_file import FileOptions
from recsys.evaluation.files.item_file import ItemFiles
from recsys.evaluation.files.read_split import OneLog, TwoLogs
from recsys.evaluation.protocol import DEFAULT_TEST_SHARE, SplitMethod
from recsys.evaluation.result import EvaluationResult
from recsys.evaluation.result_json import json_entries, save_result
from recsys.evaluation.result_table import table_lines
from recsys.importing.event_columns import EventOptions
from recsys.importing.item_rows import ItemOptions
from recsys.importing.named_files import named_files
from recsys.importing.presets import LAYOUTS, Preset, given_over
from recsys.importing.read_options import FileFormat, Quoting, ReadOptions
from recsys.importing.times import TimeUnit
from recsys.importing.values import Decimals
from recsys.training.settings import ModelSettings
from recsys.tuning import FitEffort
from spark_jobs.mllib_baseline import mllib_als
from spark_jobs.model_settings import read_model_settings
from spark_jobs.session import spark_session
from spark_jobs.settings import ShopSettings, SparkSettings, load

_MAX_CUTOFF = 1000


class BaselineName(StrEnum):
    """Baselines to compare the model with; mllib starts Spark and is slow."""

    POPULARITY = "popularity"
    ITEM_KNN = "item-knn"
    IMPLICIT = "implicit"
    EASE = "ease"
    MARKOV = "markov"
    MLLIB = "mllib"


_BY_DEFAULT = (BaselineName.POPULARITY, BaselineName.ITEM_KNN, BaselineName.IMPLICIT)


def evaluate(
    train: Annotated[
        list[str] | None, typer.Option(metavar="FILE", help="Events to train on.")
    ] = None,
    test: Annotated[
        list[str] | None, typer.Option(metavar="FILE", help="Events to evaluate on.")
    ] = None,
    events: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE", help="All events, split by --split, instead of --train and --test."
        ),
    ] = None,
    split: Annotated[
        SplitMethod | None,
        typer.Option(
            help="How to split --events: leave-last-out tests on each user's last target event,"
            " global-time on the newest events of all. Both need timestamps."
        ),
    ] = None,
    test_share: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            max=0.9,
            help=f"Share of the events that global-time tests on. Default: {DEFAULT_TEST_SHARE:g}.",
        ),
    ] = None,
    items: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE",
            help="Items with title, categories, brand, price and attributes, read as `recsys import"
            " items` reads them: what is known of items without behaviour.",
        ),
    ] = None,
    item_mapping: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN=FIELD", help="Column of --items that holds a field; repeat for several."
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Where to write the results as JSON.")
    ] = None,
    k: Annotated[
        str,
        typer.Option(
            metavar="K[,K...]",
            help="Cut-offs of the metrics: 10,20,50. Differences are printed at the first.",
        ),
    ] = "20",
    baseline: Annotated[
        list[BaselineName] | None,
        typer.Option(
            help="Baseline to compare with; repeat for several. Default: popularity, item-knn and"
            " implicit. ease takes up to 20,000 items, markov needs timestamps."
        ),
    ] = None,
    no_baselines: Annotated[
        bool, typer.Option("--no-baselines", help="Evaluate the model alone.")
    ] = False,
    ablation: Annotated[
        bool,
        typer.Option("--ablation", help="Also evaluate the model without each part of its score."),
    ] = False,
    mask: Annotated[
        Mask,
        typer.Option(
            help="Items left out of a user's list: all that the user has in training, or those with"
            " an event whose type excludes."
        ),
    ] = Mask.ALL,
    fit_settings: Annotated[
        FitEffort | None,
        typer.Option(
            help="Effort of the search for settings, on a held-out part of training. Default:"
            " quick; off when settings are given."
        ),
    ] = None,
    model_settings: Annotated[
        Path | None,
        typer.Option(
            "--settings", dir_okay=False, help="File of model settings, as `recsys tune` writes it."
        ),
    ] = None,
    max_rejected: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="Share of a file's rows that may break rules, and are left out."
        ),
    ] = 0.0,
    preset: Annotated[
        Preset | None,
        typer.Option(
            help="A known layout of the files; other options go before it. What it takes for events"
            " of one type is what is evaluated.",
        ),
    ] = None,
    file_format: Format = FileFormat.AUTO,
    no_header: NoHeader = False,
    columns: Columns = "",
    delimiter: Delimiter = None,
    encoding: Encoding = "utf-8",
    quoting: QuotingOption = Quoting.AUTO,
    explode: Explode = None,
    mapping: Mapping = None,
    event_type: EventType = None,
    event_types: EventTypes = "",
    timestamp_format: TimestampFormat = None,
    time_unit: TimeUnitOption = TimeUnit.AUTO,
    timezone: TimeZone = "UTC",
    decimal: Decimal = Decimals.AUTO,
    tenant: Tenant = None,
    as_json: AsJson = False,
) -> None:
    """Train on some events, evaluate on others, compare with baselines; or split events.

    A FILE may be a folder, a 'pattern*.csv' or a URL as well, and several are given by repeating
    the option.

    Files are read as `recsys import events` reads them. Fields: user_id and item_id are required;
    event_type, timestamp and value, which multiplies the event's weight and must not be negative,
    are optional, as is quantity: a row with a negative one is rejected, for it is no purchase; the
    event_type tells returns. Price and rating are read where they count in the shop. What counts
    like stars may be the value: --mapping rating=value. A row that the import would reject for one
    of these is an error here, unless --max-rejected leaves it out.
    Repeated pairs add up; without timestamps nothing decays. The weights of event types and the
    types that are evaluated are the shop's: TENANT.toml in the folder RECSYS_SHOP_CONFIG.

    All items of training are ranked for every user who is in both files. recall_at_20 is the share
    of a user's test items among the first 20, ndcg_at_20 has its ideal cut at min(20, test items);
    both are means over users, with 95 % intervals. Test items without behaviour in training count,
    and are also reported separately. With --items all items of the catalogue are ranked, and it is
    told how those without behaviour fare by their content. docs/glossary.md has all metrics.

    Example: recsys evaluate --train train.csv --test test.csv --k 10,20 --output result.json

    Example: recsys evaluate --events events.csv --split leave-last-out --baseline markov
    """
    if output:
        check_output(output)
    settings = load(ShopSettings)
    shop = shop_of(settings.shop_config, tenant or settings.tenant, say)
    model = read_model_settings(model_settings, shop, say) if model_settings else ModelSettings()

    def keep(result: EvaluationResult) -> None:
        try:
            if output:
                save_result(result, output)
        except OSError:
            # What took long to find is not lost for want of a place.
            _show(result, as_json=as_json)
            raise

    cutoffs = _cutoffs(k)
    reading = _reading(
        preset,
        read_options(file_format, no_header, columns, delimiter, encoding, quoting, explode),
        event_options(
            mapping, event_type, event_types, timestamp_format, time_unit, timezone, decimal
        ),
        max_rejected,
    )
    item_options = _item_options(items, item_mapping, preset)
    # Last, for it may fetch them.
    with ExitStack() as open_files:

        def find(names: list[str]) -> tuple[Path, ...]:
            return tuple(open_files.enter_context(named_files(names, say)))

        request = EvaluationRequest(
            files=_files(train, test, events, split, test_share, find),
            shop=shop,
            settings=model.as_fixed_by(shop),
            mask=mask,
            cutoffs=cutoffs,
            now_ms=utc_now_ms(),
            reading=reading,
            ablation=ablation,
            items=ItemFiles(find(items), item_options, max_rejected) if items else None,
            effort=fit_settings or (FitEffort.OFF if model_settings else FitEffort.QUICK),
        )
        names = () if no_baselines else baseline or _BY_DEFAULT
        with _baselines(tuple(dict.fromkeys(names))) as baselines:
            result = evaluate_files(request, baselines, say, keep)
    _show(result, as_json=as_json)


def _show(result: EvaluationResult, *, as_json: bool) -> None:
    if as_json:
        show_json(json_entries(result))
        return
    for line in table_lines(result):
        print(line)


def _reading(
    preset: Preset | None, how: ReadOptions, events: EventOptions, max_rejected: float
) -> FileOptions:
    if preset is None:
        return FileOptions(how, events, max_rejected)
    if preset is Preset.ONLINE_RETAIL:
        raise ConfigurationError(
            f"--preset {preset.value} is for imports, which tell returns and postage row by row"
        )
    layout = LAYOUTS[preset]
    # All events of such a file are alike: they are what is to be foreseen, whatever the goals.
    usual = replace(layout.events, event_type=None)
    return FileOptions(given_over(layout.how, how), given_over(usual, events), max_rejected)


def _item_options(
    files: list[str] | None, mapping: list[str] | None, preset: Preset | None
) -> ItemOptions:
    if mapping and not files:
        raise ConfigurationError("--item-mapping belongs to --items")
    options = ItemOptions(tuple(mapping or ()))
    return options if preset is None else given_over(LAYOUTS[preset].items, options)


def _files(
    train: list[str] | None,
    test: list[str] | None,
    events: list[str] | None,
    split: SplitMethod | None,
    test_share: float | None,
    find: Callable[[list[str]], tuple[Path, ...]],
) -> TwoLogs | OneLog:
    if test_share is not None and split is not SplitMethod.GLOBAL_TIME:
        raise ConfigurationError("--test-share belongs to --split global-time")
    if train and test and not events and not split:
        return TwoLogs(find(train), find(test))
    if events and split and not train and not test:
        return OneLog(find(events), split, test_share or DEFAULT_TEST_SHARE)
    raise ConfigurationError("give either --train and --test, or --events and --split")


def _cutoffs(text: str) -> tuple[int, ...]:
    """Each once, in the order given."""
    try:
        found = tuple(dict.fromkeys(int(part) for part in text.split(",")))
    except ValueError:
        found = (0,)
    if not all(1 <= cutoff <= _MAX_CUTOFF for cutoff in found):
        raise ConfigurationError(
            f"--k {text}: expected numbers from 1 to {_MAX_CUTOFF}, for example 10,20,50"
        )
    return found


@contextmanager
def _baselines(names: tuple[BaselineName, ...]) -> Iterator[dict[str, Baseline]]:
    """The baselines by name, and a Spark session where one needs it."""
    found = {name.value: BASELINES[name] for name in names if name in BASELINES}
    if BaselineName.MLLIB not in names:
        yield found
        return
    with spark_session(load(SparkSettings), "recsys evaluate") as spark:
        yield found | {BaselineName.MLLIB.value: of_pairs(mllib_als(spark))}
