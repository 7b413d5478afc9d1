"""The images: one Dockerfile a kind, and the few files which only they need."""
