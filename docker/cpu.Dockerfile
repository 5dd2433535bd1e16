# SQLadder on CPU, with the exact versions of requirements/workflow.lock. In a clone:
#   docker build --file docker/cpu.Dockerfile --tag sqladder .
#   docker run --rm --user "$(id -u)" --volume "$PWD:/work" sqladder run --cores 4
FROM python:3.11-slim-bookworm AS wheel
WORKDIR /opt/sqladder/source
COPY . .
RUN python -m pip wheel --no-cache-dir --no-deps --wheel-dir /opt/sqladder/wheels .

FROM python:3.11-slim-bookworm
# A compiler: some packages come as source, and torch.compile makes code. Fonts: charts of any script.
RUN apt-get update && \
    apt-get install --yes --no-install-recommends fonts-dejavu-core gcc git libc6-dev && \
    rm -rf /var/lib/apt/lists/*
COPY requirements /opt/sqladder/requirements
# torch goes first, with its dependencies, from the index of its CPU builds; the wheels of PyPI are for CUDA.
RUN python -m pip install --no-cache-dir --index-url https://download.pytorch.org/whl/cpu \
        --constraint /opt/sqladder/requirements/workflow.lock torch && \
    python -m pip install --no-cache-dir --no-deps --requirement /opt/sqladder/requirements/workflow.lock
COPY --from=wheel /opt/sqladder/wheels /opt/sqladder/wheels
RUN python -m pip install --no-cache-dir --no-deps /opt/sqladder/wheels/*.whl
# Caches of whoever the container runs as.
ENV HOME=/tmp
USER 1000
WORKDIR /work
ENTRYPOINT ["sqladder"]
CMD ["doctor"]
