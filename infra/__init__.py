"""Infrastructure: the embedded local stack, and the deployment files of real ones."""
