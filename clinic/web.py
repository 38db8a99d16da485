"""The web server process of `manage.py run`: uvicorn on a socket that the supervisor has already opened.

The socket outlives a crashed server: while a new one starts, browsers wait instead of being refused. Elsewhere start
`uvicorn clinic.asgi:application` as usual.
"""
from __future__ import annotations

import os
import socket
import sys

import uvicorn


def main(descriptor: int) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")
    config = uvicorn.Config(
        "clinic.asgi:application", lifespan="off", access_log=False, log_level="warning", timeout_graceful_shutdown=3,
    )
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=descriptor)])


if __name__ == "__main__":
    main(int(sys.argv[1]))
