"""In-memory twins of the stores, for unit tests; kept honest by tests/contract."""
