# Two stages, so that neither pip nor what it built stays. Wheels only, for amd64 and arm64: no compiler. Telethon's pyaes
# comes as source alone, and is plain Python; it is the fallback for cryptg, which is there.
FROM python:3.13-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements.txt /src/
RUN python -m venv --without-pip /opt/venv \
 && pip --python /opt/venv/bin/python install --require-hashes --only-binary=:all: --no-binary=pyaes -r /src/requirements.txt
COPY bot /opt/venv/lib/python3.13/site-packages/bot
RUN printf '#!/opt/venv/bin/python\nfrom bot.__main__ import main\n\nmain()\n' > /opt/venv/bin/vedette \
 && chmod 755 /opt/venv/bin/vedette \
 && /opt/venv/bin/python -m compileall -q /opt/venv/lib/python3.13/site-packages

FROM python:3.13-slim-bookworm
LABEL org.opencontainers.image.title="vedette" \
      org.opencontainers.image.description="Watches Telegram channels and tells a chat when they mention what you care about" \
      org.opencontainers.image.licenses="MIT"
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
COPY --from=build /opt/venv /opt/venv
USER 10001:10001
# Mount a folder with config.toml and recordings here.
WORKDIR /vedette
ENTRYPOINT ["python", "-m", "bot"]
CMD ["demo"]
