"""Signs of life: a job that has had nothing to say for half a minute says that it goes on."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Lock, Thread

from py4j.protocol import Py4JError
from pyspark.sql import SparkSession

SILENCE_SECONDS = 30.0


class SignsOfLife:
    """What a job says, and after every so many seconds of silence how far Spark's tasks are.

    Args:
        say: takes a line.
    """

    def __init__(self, say: Callable[[str], None], silence_seconds: float = SILENCE_SECONDS):
        self._say, self._silence_seconds = say, silence_seconds
        self._lock = Lock()
        # When a line was last said, and when the last one that told of something new was.
        self._spoken = self._told = time.monotonic()

    def say(self, text: str) -> None:
        """Say a line of the job's own."""
        with self._lock:
            self._spoken = self._told = time.monotonic()
            self._say(text)

    @contextmanager
    def beside(self, tasks: Callable[[], tuple[int, int]] = lambda: (0, 0)) -> Iterator[None]:
        """Break silences for the length of the block.

        Args:
            tasks: how many are done of those that Spark has, see `tasks_of`; none before it runs.
        """
        done = Event()
        thread = Thread(target=self._watch, args=(done, tasks), name="signs-of-life", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _watch(self, done: Event, tasks: Callable[[], tuple[int, int]]) -> None:
        while not done.wait(self._left()):
            if self._left() > 0:
                continue
            finished, every = tasks()
            doing = f"{finished:,} of {every:,} tasks of Spark done" if every else "in this process"
            with self._lock:
                now = time.monotonic()
                # Counting takes a while on a busy machine, and the job may have spoken meanwhile.
                if now - self._spoken < self._silence_seconds:
                    continue
                self._say(f"  still at it after {now - self._told:.0f} s: {doing}")
                self._spoken = now

    def _left(self) -> float:
        with self._lock:
            return max(self._spoken + self._silence_seconds - time.monotonic(), 0.0)


def tasks_of(spark: SparkSession) -> tuple[int, int]:
    """Count the tasks that are done of the stages that run now, and all of them."""
    tracker = spark.sparkContext.statusTracker()
    try:
        found = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
    except Py4JError:  # it stops, or a stage ended at this moment
        return 0, 0
    stages = [stage for stage in found if stage is not None]
    return sum(each.numCompletedTasks for each in stages), sum(each.numTasks for each in stages)
