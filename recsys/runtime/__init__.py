"""Runtime of a process: gRPC, metrics, logs, deadlines, a tuned garbage collector."""
