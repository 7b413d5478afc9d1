"""What the catalogue tells of items."""
