"""HBase as a hash-locked list of jars, downloaded once."""
