"""Settings of a process and of a shop, from the environment and shop.toml."""
