"""Generated from proto/recsys/rpc/v1 by `make proto`; do not edit."""
