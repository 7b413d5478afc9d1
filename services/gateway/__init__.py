"""The REST API of the shop, over the recommender and the ingest service.

main             wires the process and runs it, with settings and dependencies
app              the FastAPI application: middleware and routes
fast_path/       the routes that storefronts ask all day, answered before FastAPI
recommendations  asks a recommender and completes its response, for both of them
placed_recommendations, page_recommendations
                 the same for a placement, the placements of a page
recorded_events  hands events to ingest and says what became of each, for both of them
routes/          what FastAPI serves, and who may call it
schemas/         the JSON that goes in and out
http/            request ids, log, limits of callers, bodies, parameters, errors, draining
upstream/        clients of the recommender replicas and of ingest
"""
