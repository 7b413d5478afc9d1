"""The pure centre: numpy and the standard library only, no IO, clock, environment or logging."""
