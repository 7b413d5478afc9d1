"""`python -m services.recommender`."""

import os

# Before numpy is loaded: its threads wait for one another by spinning, on matrices that take one
# thread some 50 us. Replicas share the machine's cores, not the threads of one.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from services.recommender.main import main

main()
