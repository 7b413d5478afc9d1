"""The demo: a real shop's history in, recommendations out."""
