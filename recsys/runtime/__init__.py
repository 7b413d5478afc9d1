"""What a running process has: gRPC, metrics, logs, deadlines, a tuned garbage collector."""
