"""What serving reads, in Redis: published versions, recent behaviour, hidden items."""
