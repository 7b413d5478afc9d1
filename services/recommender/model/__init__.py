"""The model that serves: loaded, followed as it changes, and what is cached of it."""
