# The gateway, the recommender and the ingest service: which one, the command says.
#
#     docker build -f infra/docker/service.Dockerfile -t recsys-service .      (in the repository root)

# The minor version the tests run on. Only wheels are installed: no stage needs a compiler.
ARG PYTHON_IMAGE=python:3.11.14-slim-trixie

FROM ${PYTHON_IMAGE} AS builder
ENV UV_PROJECT_ENVIRONMENT=/opt/recsys \
    UV_PYTHON=/usr/local/bin/python3 \
    UV_PYTHON_DOWNLOADS=never \
    UV_LINK_MODE=copy \
    UV_COMPILE_BYTECODE=1
WORKDIR /src
RUN --mount=type=bind,source=infra/local/bootstrap-requirements.txt,target=requirements.txt \
    --mount=type=cache,target=/root/.cache/pip \
    pip install --root-user-action=ignore --require-hashes --only-binary=:all: -r requirements.txt
# The dependencies alone first: a change of our code leaves this layer as it is.
RUN --mount=type=bind,source=pyproject.toml,target=pyproject.toml \
    --mount=type=bind,source=uv.lock,target=uv.lock \
    --mount=type=cache,target=/root/.cache/uv \
    uv sync --locked --no-default-groups --extra serve --no-install-project --no-build
COPY pyproject.toml uv.lock README.md LICENSE ./
COPY recsys recsys
COPY services services
COPY spark_jobs spark_jobs
COPY cli cli
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --locked --no-default-groups --extra serve --no-editable

FROM ${PYTHON_IMAGE}
ARG VERSION=dev
LABEL org.opencontainers.image.title="recsys services" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="Apache-2.0"
# All our images share this user, so that what one writes to a volume another can read. A new
# volume takes its owner from the folder it covers.
RUN groupadd --gid 10001 recsys \
    && useradd --uid 10001 --gid recsys --no-create-home --home-dir /tmp --shell /usr/sbin/nologin recsys \
    && install -d -o recsys -g recsys /var/lib/recsys/keys
COPY --from=builder /opt/recsys /opt/recsys
COPY infra/docker/healthcheck.py /opt/recsys/healthcheck.py
ENV PATH=/opt/recsys/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /tmp
ENTRYPOINT ["python", "-m"]
CMD ["services.gateway"]
