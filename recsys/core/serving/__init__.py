"""Recommendations: from a request over candidates and scores to what is shown."""
