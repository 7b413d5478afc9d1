"""What the services run on: the embedded local stack, and the deployment files of real ones."""
