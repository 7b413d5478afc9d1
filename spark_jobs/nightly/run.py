"""The run: wire the stores, hold the lock, take the steps."""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import partial

from recsys.clock import utc_now_ms
from recsys.config.shops import shop_of
from recsys.core.errors import GateRefused, InvalidModel, NotFound, Unavailable
from recsys.core.event_types import details_that_count
from recsys.core.ports import PublishedModels
from recsys.core.wording import pluralize
from recsys.stores.hbase.items import HBaseItemStore
from recsys.stores.hbase.pool import HBasePool
from recsys.stores.hbase.tenants import check_tenant
from recsys.stores.manifest import Manifest
from recsys.stores.model_files import ModelFiles
from recsys.stores.redis.connect import connect
from recsys.stores.redis.live_catalogue import RedisLiveCatalogue
from recsys.stores.redis.lock import nightly_lock
from recsys.stores.redis.published import RedisPublishedModels
from spark_jobs.event_snapshot.source import HBaseAddresses
from spark_jobs.event_snapshot.update import SnapshotRequest, update_snapshot
from spark_jobs.nightly.context import Context
from spark_jobs.nightly.cutoff import take_cutoff
from spark_jobs.nightly.daily_counts import daily_counts, quiet_day, unnamed_types
from spark_jobs.nightly.evaluate import evaluate_candidate
from spark_jobs.nightly.forgotten_users import erase_forgotten
from spark_jobs.nightly.lost_settings import refuse_lost_settings
from spark_jobs.nightly.plan import DEFAULT_HOLDOUT_DAYS, Plan, Step
from spark_jobs.nightly.publish import publish_candidate
from spark_jobs.nightly.publisher import Publisher, last_serving
from spark_jobs.nightly.read_behaviour import read_behaviour
from spark_jobs.nightly.restore_recent import restore_recent
from spark_jobs.nightly.run_folder import RunFolder
from spark_jobs.nightly.train import run_fingerprint, train
from spark_jobs.session import spark_session
from spark_jobs.settings import BatchSettings
from spark_jobs.signs_of_life import SignsOfLife, tasks_of
from spark_jobs.task_errors import spark_storage_errors

# A second or two, before an older version serves; more users are looked at after it does.
QUICKLY_ERASED = 1000


def run_nightly(
    settings: BatchSettings, plan: Plan, steps: Collection[Step], say: Callable[[str], None]
) -> None:
    """Take the given steps of a run in order, one run of a tenant at a time.

    Whatever stops a run, the version that served before goes on serving, and running again makes
    up for all that is missing. When all steps are asked for and a stored version was made from the
    same data with the same settings, that version is published instead of trained again.

    Raises:
        AlreadyRunning, ConfigurationError, LockLost, NoData, NotFound, NotSetUp, GateRefused,
        InvalidModel, OSError, Unavailable: see the message.
    """
    folder = RunFolder(settings.run_folder(plan.tenant))
    wanted = [step for step in Step if step in steps]
    if Step.TRAIN in wanted and not plan.force:
        refuse_lost_settings(plan.shop, ModelFiles(settings.model_store), plan.tenant)
    cutoff = take_cutoff(settings.redis_url.get_secret_value(), say)
    begin = partial(_begin, plan.tenant, folder, wanted)
    with (
        _publisher(settings, plan.tenant, say, begin) as publisher,
        spark_storage_errors(settings),
    ):
        context = Context(
            plan=plan,
            spark=publisher.spark,
            hbase=HBaseAddresses(settings.hbase_thrift, settings.hbase_thrift2),
            items=publisher.items,
            models=publisher.models,
            publisher=publisher,
            folder=folder,
            holdout_days=_holdout_days(plan, publisher),
            cutoff=cutoff,
            now_ms=utc_now_ms,
            say=publisher.say,
        )
        try:
            if wanted == list(Step) and not plan.force:
                _timed(context, Step.READ)
                wanted = _without_needless(context)
            if Step.TRAIN in wanted and Step.PUBLISH in wanted:
                publisher.warn_of_little_room(plan.tenant)
            for step in wanted:
                _timed(context, step)
        finally:
            publisher.remove_old_versions(plan.tenant, context.folder.last_candidate())


def serve_stored(
    settings: BatchSettings, tenant: str, version: str, say: Callable[[str], None]
) -> None:
    """Let a version of the model store serve, whatever the gate would say.

    Where all its records are still in Redis, as those of the last two are, only the pointer moves:
    no Spark, no lock, and a nightly run under way will find that another version serves and publish
    nothing. The version that served is withdrawn: equal data does not bring it back.

    Raises:
        AlreadyRunning, LockLost, NotFound, InvalidModel, OSError, Unavailable: see the message;
            what served before still serves, and is not withdrawn.
    """
    files = ModelFiles(settings.model_store)
    manifest = files.manifest(tenant, version)
    with connect(settings.redis_url.get_secret_value()) as redis:
        published = RedisPublishedModels(redis)
        before, marks = published.current(tenant), files.last_two(tenant)
        is_whole = _is_whole(published, files, manifest, say)
        with _notes_restored(published, files, tenant, before):
            # The decision before the pointer: a crash in between must not undo it.
            if before and before != version:
                _withdraw(files, tenant, before, say)
            files.readmit(manifest)
            files.mark_serving(tenant, version)
            erase = partial(_erase_forgotten, settings, published, manifest, say)
            is_erased = is_whole and erase(QUICKLY_ERASED)
            if is_whole and published.reactivate(tenant, version):
                say(f"{version} serves now")
                if not is_erased:
                    say("looking for users who were forgotten since it was made")
                    erase(None)
                return
            files.mark_again(tenant, marks)
            say(f"the records of {version} are not in Redis any more: publishing them again")
            with _publisher(settings, tenant, say) as publisher:
                publisher.publish(manifest, replaces=before)


def _is_whole(
    published: PublishedModels, files: ModelFiles, manifest: Manifest, say: Callable[[str], None]
) -> bool:
    """Count what Redis has of a version: it may have removed some of it, being full."""
    tenant, version = manifest.tenant, manifest.version
    try:
        user_ids = list(files.users(tenant, version).ids)
        items = len(files.item_bytes(tenant, version))
    except (NotFound, InvalidModel) as error:
        say(f"whether Redis has all of {version} is not known: {error}")
        return True
    there = published.count_users(tenant, version, user_ids)
    there += published.erased_users(tenant, version)
    if there < len(user_ids):
        say(f"Redis has {there:,} of {pluralize(len(user_ids), 'user record')} of {version}")
    return there >= len(user_ids) and published.items_size(tenant, version) == items


def _erase_forgotten(
    settings: BatchSettings,
    published: PublishedModels,
    manifest: Manifest,
    say: Callable[[str], None],
    most: int | None,
) -> bool:
    """See `erase_forgotten`; the way back waits for no HBase that is away."""
    try:
        with closing(HBasePool(settings.hbase_thrift)) as pool:
            return erase_forgotten(pool, published, manifest, say, 0.0, most)
    except Unavailable as error:
        say(
            f"users who were forgotten since {manifest.version} was made are in it until the next"
            f" `recsys nightly`: {error}"
        )
        return True


@contextmanager
def _notes_restored(
    published: PublishedModels, files: ModelFiles, tenant: str, before: str | None
) -> Iterator[None]:
    """Take back, when the block fails and `before` still serves, what it has noted."""
    marks, withdrawn = files.last_two(tenant), files.withdrawn(tenant)
    try:
        yield
    except BaseException:
        # Where Redis does not say what serves, the decision may have been carried out.
        with suppress(Unavailable):
            if published.current(tenant) == before:
                files.mark_again(tenant, marks)
                files.save_withdrawn(tenant, withdrawn)
        raise


def remove_stored(
    settings: BatchSettings, tenant: str, version: str, say: Callable[[str], None]
) -> None:
    """Remove a version from the model store, and what Redis has of it.

    Raises:
        GateRefused: it serves, or served before Redis lost its data.
        AlreadyRunning, NotFound, OSError, Unavailable: see the message.
    """
    files = ModelFiles(settings.model_store)
    with (
        connect(settings.redis_url.get_secret_value()) as redis,
        nightly_lock(redis, tenant, say),
    ):
        published = RedisPublishedModels(redis)
        if last_serving(published, files, tenant) == version:
            raise GateRefused(
                f"{version} serves: let another one serve first (recsys models serve VERSION)"
            )
        if not (versions := files.versions(tenant)):
            raise NotFound(files.no_model(tenant))
        if version not in versions:
            known = ", ".join(versions)
            raise NotFound(f"there is no version {version} of {tenant}; known: {known}")
        # A folder that cannot be removed may be served again, from records that are there.
        files.remove(tenant, version)
        published.retire(tenant, set(versions) - {version})


def _withdraw(files: ModelFiles, tenant: str, version: str, say: Callable[[str], None]) -> None:
    try:
        files.withdraw(files.manifest(tenant, version))
    except (NotFound, InvalidModel) as error:
        say(f"{version} cannot be kept from being published again: {error}")


def rebuild(
    settings: BatchSettings, tenant: str, version: str | None, say: Callable[[str], None]
) -> None:
    """Fill a Redis that has lost its data: a model, and what users did since it was trained.

    Args:
        version: None for the one that served last.

    Raises:
        AlreadyRunning, ConfigurationError, LockLost, NotFound, InvalidModel, OSError, Unavailable:
            see the message.
    """
    files, url = ModelFiles(settings.model_store), settings.redis_url.get_secret_value()
    shop = shop_of(settings.shop_config, tenant, say)
    # Before there are a lock and Spark: a name mistyped is said at once. Where another version
    # serves by the time that this one could, publishing finds it.
    with connect(url) as redis:
        serving = RedisPublishedModels(redis).current(tenant)
    manifest = files.manifest(tenant, version or serving or files.last_serving(tenant))
    with _publisher(settings, tenant, say) as publisher:
        # Before the model, so that no answer is given without them.
        restored = restore_recent(
            publisher.spark, settings.hbase_thrift, url, manifest, shop.windowed_types
        )
        publisher.say(f"events since the training that are remembered again: {restored:,}")
        publisher.publish(manifest, replaces=serving)


def _begin(tenant: str, folder: RunFolder, steps: Sequence[Step], pool: HBasePool) -> None:
    """Say before Spark starts, and before anything is written, what a run cannot go on without."""
    if Step.READ in steps or not folder.exists():
        check_tenant(pool, tenant)
    if Step.READ not in steps:
        folder.check_for(train=Step.TRAIN in steps, evaluate=Step.EVALUATE in steps)
    folder.begin()


@contextmanager
def _publisher(
    settings: BatchSettings,
    tenant: str,
    say: Callable[[str], None],
    begin: Callable[[HBasePool], None] = lambda _: None,
) -> Iterator[Publisher]:
    """The stores and a Spark session, while no other run of the tenant can begin.

    Args:
        begin: what is done first, before Spark is there.
    """
    redis = connect(settings.redis_url.get_secret_value())
    pool = HBasePool(settings.hbase_thrift)
    signs = SignsOfLife(say)
    try:
        with nightly_lock(redis, tenant, say) as lock, ExitStack() as session:
            # HBase may hang, and on a busy machine Spark takes minutes.
            with signs.beside():
                begin(pool)
                signs.say("starting Spark")
                spark = session.enter_context(spark_session(settings, f"recsys {tenant}"))
            with signs.beside(partial(tasks_of, spark)):
                publisher = Publisher(
                    spark=spark,
                    settings=settings,
                    models=ModelFiles(settings.model_store),
                    published=RedisPublishedModels(redis),
                    lock=lock,
                    pool=pool,
                    items=HBaseItemStore(pool),
                    live=RedisLiveCatalogue(redis),
                    say=signs.say,
                )
                publisher.settle(tenant)
                yield publisher
    finally:
        pool.close()


def _holdout_days(plan: Plan, publisher: Publisher) -> float:
    """As the plan has it, or as the serving version was judged: only then both compare."""
    if plan.holdout_days is not None:
        return plan.holdout_days
    judged = publisher.serving_manifest(plan.tenant)
    return (judged.holdout_days() if judged else 0.0) or DEFAULT_HOLDOUT_DAYS


def _timed(context: Context, step: Step) -> None:
    actions: dict[Step, Callable[[Context], object]] = {
        Step.READ: _read,
        Step.TRAIN: train,
        Step.EVALUATE: evaluate_candidate,
        Step.PUBLISH: publish_candidate,
    }
    context.publisher.lock.check()
    started = time.perf_counter()
    context.say(f"[{step.value}]")
    actions[step](context)
    context.say(f"[{step.value}] done in {time.perf_counter() - started:.1f} s")


def _read(context: Context) -> None:
    plan, folder = context.plan, context.folder
    request = SnapshotRequest(
        plan.tenant, context.hbase, context.cutoff.wait(context.say), full=plan.full
    )
    update = update_snapshot(context.spark, folder.event_snapshot, request)
    context.say(update.summary)
    snapshot = read_behaviour(
        context.spark,
        folder.event_snapshot.paths(update.snapshot),
        context.items,
        folder,
        plan.tenant,
        plan.window,
        update.snapshot.read_at_ms,
        details_that_count(plan.shop.event_types.values()),
    )
    context.say(f"{pluralize(snapshot.events, 'event')} in the window")
    counts = daily_counts(context.spark, folder.events)
    if unnamed := unnamed_types(counts, plan.shop.event_types):
        listed = ", ".join(f"{name} ({count:,})" for name, count in unnamed.items())
        context.say(
            f"the shop's settings do not name these types of events, so none counts: {listed}"
        )
    if not counts.keys() & set(plan.shop.target_types):
        goals = ", ".join(plan.shop.target_types)
        context.say(
            f"no event is a target event ({goals}), so nothing can be evaluated: are they coming"
            " in, and are `goals` of the shop's settings right?"
        )
    before_ms = min(plan.window.end_ms, update.snapshot.read_at_ms)
    if quiet := quiet_day(counts, plan.shop.event_types, before_ms):
        context.say(quiet)


def _without_needless(context: Context) -> list[Step]:
    """The steps after reading that an equal version in the model store does not make needless."""
    same = _equal_version(context)
    if same is None:
        return [Step.TRAIN, Step.EVALUATE, Step.PUBLISH]
    context.folder.save_candidate(same.version)
    if context.serving_version() == same.version:
        context.say(f"nothing changed since {same.version}, which serves (--force trains anyway)")
        return []
    if context.models.is_withdrawn(same):
        context.say(
            f"nothing changed since {same.version}, from which an operator went back:"
            f" {context.serving_version()} goes on serving"
            f" (`recsys models serve {same.version}` brings the other one back)"
        )
        return []
    context.say(f"nothing changed since {same.version}: publishing it again")
    return [Step.PUBLISH] if same.evaluation else [Step.EVALUATE, Step.PUBLISH]


def _equal_version(context: Context) -> Manifest | None:
    tenant = context.plan.tenant
    fingerprint = run_fingerprint(context)
    for version in reversed(context.models.versions(tenant)):
        try:
            manifest = context.models.manifest(tenant, version)
        except InvalidModel:
            continue
        if manifest.data.fingerprint != fingerprint:
            continue
        try:
            # Whole in Redis it may be, and still be no version that Redis could be rebuilt from.
            context.models.check_files(manifest)
        except (NotFound, InvalidModel) as error:
            context.say(f"nothing changed since {version}, which is damaged: {error}")
            continue
        return manifest
    return None
