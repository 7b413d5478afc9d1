"""The embedded local stack: real servers, without root or a package manager.

Start with `python -m infra.local --help`; `Stack(Settings.load())` is the same from Python.
"""
