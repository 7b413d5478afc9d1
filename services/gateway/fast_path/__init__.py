"""The routes that storefronts call all day, answered before FastAPI sees the request.

FastAPI's routing and dependencies cost several times what an answer does. Here only what is beyond
doubt is taken: a plain id, no parameter but a sane limit, a body without a fault, a key that may
call. All else goes on to the application, which serves the same routes, describes them, and says
what is wrong with a request.

middleware        answers what is accepted, passes on the rest
get_requests      recommendations for a user, items similar to an item
post_requests     events, placements, pages of placements, items to put in order, and their bodies
accepted_request  an accepted request, and who sends it
"""
