# syntax=docker/dockerfile:1
# Consent server: one process, no shell needed, root file system read-only. See docs/operate.md.
#
#   docker build -t consent-server:local .
#   docker run --read-only --tmpfs /tmp -v consent:/var/lib/consent -p 127.0.0.1:8000:8000 consent-server:local

FROM python:3.13-slim-bookworm AS build
WORKDIR /src
COPY . .
RUN python -m venv /tmp/build \
    && /tmp/build/bin/pip install --no-cache-dir build \
    && /tmp/build/bin/python -m build --wheel --outdir /tmp/dist \
    && python -m venv /opt/consent \
    && /opt/consent/bin/pip install --no-cache-dir "$(ls /tmp/dist/*.whl)[postgresql]"

FROM python:3.13-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /var/lib/consent --create-home consent
COPY --from=build /opt/consent /opt/consent
ENV PATH=/opt/consent/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    CONSENT_HOST=0.0.0.0 \
    CONSENT_DATABASE_URL=sqlite:////var/lib/consent/consent.sqlite \
    CONSENT_KEY_FOLDER=/var/lib/consent/keys \
    CONSENT_LOG_FORMAT=json
USER 10001
WORKDIR /var/lib/consent
VOLUME /var/lib/consent
EXPOSE 8000
# Docker restarts nothing because of it; it shows in `docker ps`, and others may wait for it.
HEALTHCHECK --interval=10s --timeout=8s --start-period=20s --retries=2 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/readyz', timeout=7)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["consent-server"]
CMD ["run"]
