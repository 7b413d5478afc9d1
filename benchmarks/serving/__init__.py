"""The parts of the benchmarks of serving: chains to ask, load to ask them with, and figures."""
