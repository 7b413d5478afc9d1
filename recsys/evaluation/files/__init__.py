"""Files of events, read and split into training and test."""
