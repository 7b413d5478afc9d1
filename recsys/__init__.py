"""The shared package: pure domain, training, stores, RPC stubs and process set-up."""
