"""Process set-up shared by all services: settings, logging, keys."""
