"""Recommendations for users: candidates, and in time all of the way from a request to a list."""
