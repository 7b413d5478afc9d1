"""What serving reads, in Redis: published versions, recent behaviour, the live catalogue."""
