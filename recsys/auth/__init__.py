"""API keys: their scopes, the file that holds them, and following its changes."""
