"""The recommender: lists over gRPC from the published model and recent behaviour.

main                          wires the process and runs it, with settings
servicer, answer_stream       the RPCs: single calls, and the stream of each gateway
named_placements              requests of single calls, those for a placement by its name
answer_batch, user_lists      a batch of questions, and the users whom they are about
asked, user_result            a question beside the model that answers it, and what comes of it
fold_in_worker                scores users whose behaviour has changed, off the event loop
rendering                     the JSON of a list
model/                        the model that serves, and what is cached of it
"""
