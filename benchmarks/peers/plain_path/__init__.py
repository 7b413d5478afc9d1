"""The same answer as it is usually built: FastAPI and pydantic, a unary RPC, a GET to Redis."""
