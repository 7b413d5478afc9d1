"""The running processes: one folder each."""
