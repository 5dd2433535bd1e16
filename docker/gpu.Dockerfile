# SQLadder on NVIDIA GPUs: training in one image with generation by transformers (vLLM has an environment of its own).
#   docker build --file docker/gpu.Dockerfile --tag sqladder-gpu .
#   docker run --rm --user "$(id -u)" --volume "$PWD:/work" --gpus all --shm-size 8g sqladder-gpu \
#       run --cores 16 --workflow-profile gpu --resources gpu=1
FROM python:3.11-slim-bookworm AS wheel
WORKDIR /opt/sqladder/source
COPY . .
RUN python -m pip wheel --no-cache-dir --no-deps --wheel-dir /opt/sqladder/wheels .

FROM python:3.11-slim-bookworm
# A compiler: some packages come as source, and Triton builds its launchers. Fonts: charts of any script.
RUN apt-get update && \
    apt-get install --yes --no-install-recommends fonts-dejavu-core gcc git libc6-dev && \
    rm -rf /var/lib/apt/lists/*
COPY requirements /opt/sqladder/requirements
# torch goes first, with its dependencies: the wheel of PyPI brings CUDA's libraries; the host has the driver alone.
RUN python -m pip install --no-cache-dir --constraint /opt/sqladder/requirements/workflow.lock torch && \
    python -m pip install --no-cache-dir --no-deps --requirement /opt/sqladder/requirements/workflow.lock \
        --requirement /opt/sqladder/requirements/bitsandbytes.lock
COPY --from=wheel /opt/sqladder/wheels /opt/sqladder/wheels
RUN python -m pip install --no-cache-dir --no-deps /opt/sqladder/wheels/*.whl
# Caches of whoever the container runs as.
ENV HOME=/tmp
USER 1000
WORKDIR /work
ENTRYPOINT ["sqladder"]
CMD ["doctor"]
