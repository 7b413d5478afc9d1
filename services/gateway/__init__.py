"""The REST API of the shop, over the recommender and the ingest service."""
