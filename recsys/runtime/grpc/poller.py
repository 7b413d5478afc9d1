"""Choice between gRPC's two pollers, to be made before grpc is first imported."""

import os

_WITHOUT_EVENT_ENGINE = ",".join(
    f"-event_engine_{part}" for part in ("client", "listener", "for_all_other_endpoints")
)


def choose_plain_poller() -> None:
    """Read and write on the thread that polls, unless GRPC_EXPERIMENTS is set already.

    grpcio's default hands each event on to a pool of threads: worth it for servers that do their
    work in C++. Where one event loop does all the work, the hand-over is all there is, and costs
    some per cent of the CPU of an answer: most at light load, where a message holds one question.
    A grpcio that does not know these names any more says so in the log and goes on.
    """
    os.environ.setdefault("GRPC_EXPERIMENTS", _WITHOUT_EVENT_ENGINE)
