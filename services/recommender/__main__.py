"""`python -m services.recommender`."""

from services.recommender.main import main

main()
