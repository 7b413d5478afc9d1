"""The services behind: recommender replicas and their queue, and ingest."""
