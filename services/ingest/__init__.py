"""Takes events and items in over gRPC and keeps them in HBase."""
