"""Replicas: started and drained by hand, or as the load changes."""
