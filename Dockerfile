# A first version: the commands that exist so far. Two stages, so that neither pip's cache nor a compiler stays.
FROM python:3.13-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements.txt /src/
RUN python -m venv --without-pip /opt/venv \
 && pip --python /opt/venv/bin/python install --require-hashes --only-binary=:all: -r /src/requirements.txt
COPY bot /opt/venv/lib/python3.13/site-packages/bot
RUN /opt/venv/bin/python -m compileall -q /opt/venv/lib/python3.13/site-packages/bot

FROM python:3.13-slim-bookworm
LABEL org.opencontainers.image.title="vedette" \
      org.opencontainers.image.description="Watches Telegram channels and tells a chat when they mention what you care about" \
      org.opencontainers.image.licenses="MIT"
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
COPY --from=build /opt/venv /opt/venv
USER 10001:10001
WORKDIR /recordings
ENTRYPOINT ["python", "-m", "bot"]
CMD ["--help"]
