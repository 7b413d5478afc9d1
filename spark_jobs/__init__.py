"""The batch side, on Spark: the HBase source, the nightly run, training on a cluster."""
