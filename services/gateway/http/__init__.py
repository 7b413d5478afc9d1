"""HTTP itself: identity and log of a request, bodies, paths, parameters, errors, draining."""
