"""A job that has nothing to say for a while says that it goes on."""

import re
from threading import Event

from spark_jobs.signs_of_life import SignsOfLife

SOON_SECONDS = 0.02
LONG_SECONDS = 30.0


class Listener:
    """Keeps what was said; `heard` is set by a sign of life."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.heard = Event()

    def __call__(self, line: str) -> None:
        self.lines.append(line)
        if "still at it" in line:
            self.heard.set()


def test_a_silence_is_broken_by_how_far_the_tasks_are() -> None:
    listener = Listener()
    signs = SignsOfLife(listener, SOON_SECONDS)

    with signs.beside(lambda: (5, 16)):
        signs.say("[read]")
        assert listener.heard.wait(LONG_SECONDS)

    # On a busy machine a silence may be told of before the first word, too.
    assert "[read]" in listener.lines
    [*_, last] = listener.lines
    assert re.fullmatch(r"  still at it after \d+ s: 5 of 16 tasks of Spark done", last)


def test_without_tasks_this_process_is_at_work() -> None:
    listener = Listener()

    with SignsOfLife(listener, SOON_SECONDS).beside(lambda: (0, 0)):
        assert listener.heard.wait(LONG_SECONDS)

    assert "in this process" in listener.lines[0]


def test_it_goes_on_for_as_long_as_the_silence_does() -> None:
    listener = Listener()

    with SignsOfLife(listener, SOON_SECONDS).beside(lambda: (0, 0)):
        for _ in range(3):
            assert listener.heard.wait(LONG_SECONDS)
            listener.heard.clear()

    assert len(listener.lines) >= 3


def test_who_speaks_is_not_interrupted_and_the_watch_ends_with_the_block() -> None:
    listener = Listener()
    signs = SignsOfLife(listener, LONG_SECONDS)

    with signs.beside(lambda: (5, 16)):
        signs.say("[read]")

    assert listener.lines == ["[read]"]


def test_a_job_that_speaks_while_tasks_are_counted_has_not_been_silent() -> None:
    listener = Listener()
    signs = SignsOfLife(listener, silence_seconds=0.5)
    spoken = Event()

    def count_slowly() -> tuple[int, int]:
        if not spoken.is_set():
            signs.say("[read]")
            spoken.set()
        return 0, 0

    with signs.beside(count_slowly):
        assert spoken.wait(LONG_SECONDS)

    assert listener.lines == ["[read]"]
