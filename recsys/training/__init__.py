"""The numerics of training: the only place that imports implicit."""
