"""Redis adapters: published versions, recent events, the live catalogue."""
