"""Routes: recommendations, events, items, operations, and their description."""
