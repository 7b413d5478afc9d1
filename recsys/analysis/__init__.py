"""Calculations behind the notebooks: behaviour, a model version, two versions side by side."""
