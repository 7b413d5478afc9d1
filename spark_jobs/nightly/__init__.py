"""The nightly run: read, train, evaluate, publish."""
