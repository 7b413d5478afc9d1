"""The embedded local stack: real servers, without root or a package manager.

Start with `python -m infra.local --help`; `Stack(Settings.load())` is the same from Python.

bootstrap, openmp      make .venv from the lock file (`make setup`)
stack                  what starts, in which order; with settings, ports and replicas
servers/               programs and configuration of HBase, Valkey, HAProxy and our services
processes/             supervision, checks before the start, waiting, logs, status
scaling/               replicas by hand, or as the load changes
hbase_distribution/    HBase's jars, locked by hash
demo                   `make demo`
"""
