"""The nightly run: read, train, evaluate, publish.

plan, context, run       what a run is asked for, what its steps share, and the steps in order
run_folder               what one step leaves for the next
cutoff, read_behaviour   which events count, and reading them from HBase
prepare_pairs            events to pairs of users and items
fit_settings, train_trials    the search for settings
train, fit               the model, by this process or by the executors
evaluate                 metrics on the held-out days
gate                     may it replace the version that serves?
publish, publisher, publish_recommendations    records to Redis, then the pointer
restore_recent           recent events, for a Redis that lost them
"""
