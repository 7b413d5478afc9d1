"""The JSON that goes in and out: events, items, recommendations, problems."""
