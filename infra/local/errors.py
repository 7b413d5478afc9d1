"""Errors of the local stack. Each message ends with what to do about it.

StackError
├── DownloadError       a jar could not be fetched, stored or verified
├── JavaError           no Java that HBase runs on
├── PreflightError      a port, folder or disk the stack needs is not to be had
├── StartError          a process died, or was not ready in time
└── StopError           something outlived `down`
"""


class StackError(Exception):
    """Base of all errors of the local stack; its message is for the person at the terminal."""


class DownloadError(StackError):
    """A jar could not be fetched, stored or verified."""


class JavaError(StackError):
    """No Java that HBase runs on."""


class PreflightError(StackError):
    """A port, folder or disk the stack needs is not to be had."""


class StartError(StackError):
    """A process died, or was not ready in time."""


class StopError(StackError):
    """Something outlived `down`."""
