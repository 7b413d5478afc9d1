"""Loading a shop's files: rows are read, mapped, checked and stored; what is wrong is set aside."""
