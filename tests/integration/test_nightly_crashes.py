"""A run that dies leaves the old version serving, and the next one makes up for it."""

import os
import signal
import subprocess
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import NoReturn

import pytest

from infra.local.stack import Stack
from recsys.core.errors import AlreadyRunning
from recsys.stores.model_files import ModelFiles
from recsys.stores.redis import keys
from recsys.stores.redis.connect import connect
from recsys.stores.redis.lock import nightly_lock
from recsys.stores.redis.published import RedisPublishedModels
from recsys.training.settings import ModelSettings
from spark_jobs.nightly import publisher
from spark_jobs.nightly.plan import Step
from spark_jobs.nightly.publish_recommendations import publish_shard
from spark_jobs.nightly.run_folder import RunFolder
from tests.integration.conftest import LOCK_SECONDS
from tests.integration.nightly_shop import ALS, Nightly
from tests.integration.redis_server import StallingProxy
from tests.stack_fixture import job_environment, recsys_command

pytestmark = [pytest.mark.hbase, pytest.mark.redis]
CHANGED = ModelSettings(replace(ALS, factors=8))
Die = Callable[[pytest.MonkeyPatch, Nightly], None]


class Died(Exception):
    """The run ends here, as if the machine had gone."""


def _die(*_: object, **__: object) -> NoReturn:
    raise Died


def in_(owner: object, method: str) -> Die:
    """Die when this is called."""
    return lambda patch, _: patch.setattr(owner, method, _die)


def after_half_of_the_users(patch: pytest.MonkeyPatch, nightly: Nightly) -> None:
    def publish_half(_spark: object, _store: object, _url: object, manifest: object) -> NoReturn:
        tenant, version = manifest.tenant, manifest.version  # type: ignore[attr-defined]
        model = nightly.models.model(tenant, version)
        half = len(model.users.ids) // 2
        assert publish_shard(nightly.published, tenant, version, model, range(half)) == half
        raise Died

    patch.setattr(publisher, "publish_users", publish_half)


@pytest.mark.parametrize(
    "die",
    [
        pytest.param(in_(RunFolder, "save_snapshot"), id="reading"),
        pytest.param(in_(ModelFiles, "save"), id="saving the model"),
        pytest.param(in_(RunFolder, "save_candidate"), id="after saving the model"),
        pytest.param(in_(ModelFiles, "amend"), id="evaluating"),
        pytest.param(after_half_of_the_users, id="after half of the users"),
        pytest.param(in_(RedisPublishedModels, "write_items"), id="writing the items"),
        pytest.param(in_(RedisPublishedModels, "activate"), id="moving the pointer"),
    ],
)
def test_a_run_that_dies_leaves_the_old_version_serving_and_a_rerun_converges(
    nightly: Nightly, die: Die
) -> None:
    nightly.first_night()
    first, answer = nightly.serving(), nightly.recommended("viewer")

    with pytest.MonkeyPatch.context() as patch:
        die(patch, nightly)
        with pytest.raises(Died):
            nightly.run(model=CHANGED)

    assert nightly.serving() == first
    assert nightly.recommended("viewer") == answer

    nightly.run(model=CHANGED)

    assert nightly.serving() != first
    assert nightly.keys() == {first, nightly.serving()}
    assert nightly.recommended("c3", limit=1) == ["c3"]


def test_what_a_dead_run_half_wrote_is_removed_by_the_next_that_succeeds(nightly: Nightly) -> None:
    nightly.first_night()
    first = nightly.serving()
    with pytest.MonkeyPatch.context() as patch:
        after_half_of_the_users(patch, nightly)
        with pytest.raises(Died):
            nightly.run(model=ModelSettings(replace(ALS, factors=4)))
    assert len(nightly.keys()) == 2

    nightly.run(model=CHANGED)

    assert nightly.keys() == {first, nightly.serving()}


def test_a_killed_process_leaves_the_old_version_serving_and_a_rerun_converges(
    nightly: Nightly, store_stack: Stack
) -> None:
    nightly.first_night()
    first, answer = nightly.serving(), nightly.recommended("viewer")
    assert first is not None
    # The steps before are a matter of files: another process goes on from them.
    before = [Step.READ, Step.TRAIN, Step.EVALUATE]
    nightly.run(before, model=ModelSettings(replace(ALS, factors=4)))

    with StallingProxy(nightly.redis_url, before=b":items:0") as proxy:
        _kill_publishing_at(proxy, nightly, store_stack)

    (unfinished,) = nightly.keys() - {first}
    assert nightly.published.count_users(
        nightly.plan.tenant, unfinished, nightly.user_ids(unfinished)
    )
    assert nightly.serving() == first
    assert nightly.recommended("viewer") == answer

    with connect(nightly.redis_url) as redis:  # The half minute that a dead run's lock lasts.
        assert redis.pexpire(keys.nightly_lock(nightly.plan.tenant), 100)
    nightly.run(model=CHANGED)

    assert nightly.serving() not in (first, None)
    assert nightly.keys() == {first, nightly.serving()}
    assert nightly.recommended("c3", limit=1) == ["c3"]


def _kill_publishing_at(proxy: StallingProxy, nightly: Nightly, stack: Stack) -> None:
    """kill -9 `recsys nightly publish` and its Spark once it sends what the proxy stalls at."""
    environment = {
        "REDIS_URL": proxy.url,
        "RECSYS_TENANT": nightly.plan.tenant,
        "RECSYS_MODEL_STORE": str(nightly.settings.model_store),
    }
    with subprocess.Popen(
        recsys_command("nightly", "publish"),
        env=job_environment(stack, environment),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            reached = proxy.stalled.wait(timeout=120)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
    assert reached


def test_of_two_runs_at_once_the_second_is_refused(nightly: Nightly) -> None:
    finish = threading.Event()

    def hold() -> None:
        with (
            connect(nightly.redis_url) as redis,
            nightly_lock(redis, nightly.plan.tenant, LOCK_SECONDS),
        ):
            finish.wait(timeout=60)

    first = threading.Thread(target=hold)
    first.start()
    try:
        with connect(nightly.redis_url) as redis:
            while not redis.exists(keys.nightly_lock(nightly.plan.tenant)):
                assert first.is_alive()
        with pytest.raises(AlreadyRunning, match="another nightly run of nightly is under way"):
            nightly.run([Step.READ])
    finally:
        finish.set()
        first.join()
