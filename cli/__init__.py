"""The `recsys` command line: the operator's and the data scientist's way in.

app            the commands, loaded as they are called, and how errors end
nightly, rebuild, tune, models, recommend    what trains, publishes and looks into models
evaluate       the model on files of events
import_files   a shop's files into HBase, with import_run and import_progress
tables, keys   what a tenant needs first
"""
