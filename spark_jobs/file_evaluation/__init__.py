"""`recsys evaluate`: a model trained on one file of events and judged by another."""
