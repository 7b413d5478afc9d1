"""The only place that speaks Redis, HBase and model files; each port has a twin in `memory`."""
