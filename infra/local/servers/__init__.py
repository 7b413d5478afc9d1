"""The servers of the stack: their programs, configuration, tables and keys."""
