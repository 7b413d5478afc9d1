"""Settings of a process, from its environment, and of shops, each from a file."""
