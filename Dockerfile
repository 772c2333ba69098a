# Two stages, so that of the building nothing stays (the base has a pip of its own). Wheels only, for amd64 and arm64:
# no compiler. Telethon's pyaes comes as source alone, and is plain Python: a fallback for cryptg, which is there.
FROM python:3.13-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore \
    SITE=/opt/venv/lib/python3.13/site-packages
WORKDIR /src
COPY requirements.txt requirements-uk.txt requirements-notify.txt ./
# Of uk (Ukrainian dictionary, GPL) and notify (notification URLs) those that are wanted, with a blank between.
ARG EXTRAS=""
# Setuptools first, which builds pyaes: it is locked by its hash like all else, and in no image afterwards, although
# pymorphy3 names it. Nor are the 500 languages that Pygments knows, but for Python, which typer may colour.
RUN python -m venv --without-pip /opt/venv \
 && cp requirements.txt wanted.txt \
 && for extra in $EXTRAS; do cat "requirements-$extra.txt" >> wanted.txt || exit 1; done \
 && sed -n '/^setuptools==/,/# via/p' requirements.txt > builder.txt \
 && pip --python /opt/venv/bin/python install --require-hashes --only-binary=:all: -r builder.txt \
 && pip --python /opt/venv/bin/python install --no-compile --require-hashes --no-build-isolation \
    --only-binary=:all: --no-binary=pyaes -r wanted.txt \
 && pip --python /opt/venv/bin/python uninstall --yes setuptools \
 && find "$SITE/pygments/lexers" -type f ! -name __init__.py ! -name _mapping.py ! -name python.py -delete \
 && /opt/venv/bin/python -m compileall -q "$SITE"
COPY bot $SITE/bot
# COPY keeps modes, and a clone that was made under umask 077 is its owner's alone.
RUN chmod -R a+rX "$SITE/bot" \
 && printf '#!/opt/venv/bin/python\nfrom bot.__main__ import main\n\nmain()\n' > /opt/venv/bin/vedette \
 && chmod 755 /opt/venv/bin/vedette \
 && /opt/venv/bin/python -m compileall -q "$SITE/bot"

FROM python:3.13-slim-bookworm
# An init: as process 1 Python would not hear a stop that comes before it has asked for it. Debian keeps one version of it,
# so that a pin would only break the build one day.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends tini \
 && rm -rf /var/lib/apt/lists/* /var/log/* /var/cache/* \
 # Before VOLUME: what is done to the folder afterwards may be lost.
 && install -d -m 700 -o 10001 -g 10001 /data \
 && install -d /config
COPY --from=build /opt/venv /opt/venv
# Python's own library comes uncompiled, and could not be compiled later: what is loaded once here is compiled for good.
RUN /opt/venv/bin/python -c 'import importlib, pkgutil, bot; \
    [importlib.import_module(one.name) for one in pkgutil.walk_packages(bot.__path__, "bot.") if one.name != "bot.notify"]'
# PYTHONSAFEPATH: the working directory is no place for Python to look for code.
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONSAFEPATH=1 \
    VEDETTE_CONFIG=/config/config.toml
USER 10001:10001
VOLUME ["/data"]
# From here `data_dir = "data"`, the default, is the volume.
WORKDIR /
# By an interpreter of its own, a seventh of a second: once a minute. After a long downtime there is much to be read first.
HEALTHCHECK --interval=60s --timeout=10s --start-period=10m --retries=3 CMD ["python", "-m", "bot", "health"]
# A stop in the first moments, before Python has begun, is a stop like any other: 0.
ENTRYPOINT ["tini", "-e", "143", "--", "python", "-m", "bot"]
CMD ["run"]
# Last, so that a new commit makes no new layer of anything else.
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="vedette" \
      org.opencontainers.image.description="Watches Telegram channels and tells a chat when they mention what you care about" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
