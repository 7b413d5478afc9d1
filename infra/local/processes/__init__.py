"""Processes: supervised, checked beforehand, waited for, watched and cleared away."""
