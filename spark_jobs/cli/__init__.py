"""The `recsys` command line: the operator's and the data scientist's way in."""

from spark_jobs.cli.app import main

__all__ = ["main"]
