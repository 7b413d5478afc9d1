"""The batch side: Spark jobs, the nightly run and the `recsys` command line."""
