"""Event snapshots: all behaviour of a tenant as files, so that a night reads only what is new.

rows      events as columns of a file, and what makes two rows the same event
part      one key range of the table as one file: in full, or merged from the last night's
files     the folder of these files, and when they may not be used
source    what a part is read from: HBase
update    a night's new snapshot, and how it was made
"""
