"""The durable truth in HBase: interactions and items."""
