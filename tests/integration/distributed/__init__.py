"""Trainings on two executor processes; a package, so that its Spark stops with its last test."""
