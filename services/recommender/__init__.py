"""The recommender: answers over gRPC from the published model and recent behaviour."""
