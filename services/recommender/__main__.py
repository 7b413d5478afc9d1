"""`python -m services.recommender`."""

import os

from recsys.runtime.grpc.poller import choose_plain_poller

# Before numpy is loaded: its threads wait for one another by spinning, on matrices that take one
# thread some 50 us. Replicas share the machine's cores, not the threads of one.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
choose_plain_poller()

from services.recommender.main import main  # noqa: E402  # imports numpy and grpc

main()
