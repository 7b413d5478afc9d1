"""gRPC servers and channels, the guard around every call, and errors as statuses."""
