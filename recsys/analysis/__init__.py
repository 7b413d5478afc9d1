"""What the notebooks show, calculated: behaviour, a model version, two versions side by side."""
