"""Training on a cluster: four ways to spread one or many trainings, with one interface."""
