"""The web page: a question box, the cited answer, and the document it stands in.

examples   questions made from the indexed documents, and checked by asking them
parts      answers, passages and documents as escaped HTML
layout     the page itself, of Gradio's components, and the endpoints for programs
"""

from __future__ import annotations

import socket

from qa.errors import QAError
from qa.pipeline import Pipeline

DEFAULT_HOST = "127.0.0.1"
"""Only this machine: what is asked and what the documents say is nobody else's business."""

DEFAULT_PORT = 7860


def serve(pipeline: Pipeline, host: str = DEFAULT_HOST, port: int = DEFAULT_PORT) -> None:
    """Show the page on a pipeline until interrupted. Raises QAError when it cannot be served there."""
    check_address(host, port)
    from qa.page.layout import launch, page  # gradio takes seconds to import

    print("Looking for questions to show as examples …", flush=True)
    blocks = page(pipeline)
    print(f"The page is at {launch(blocks, host, port)} (Ctrl+C ends it)", flush=True)
    blocks.block_thread()


def check_address(host: str, port: int) -> None:
    """Raises QAError where nothing can be served, before anything slow is begun."""
    try:
        family = socket.getaddrinfo(host, None)[0][0]
        with socket.socket(family) as bound:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind((host, port))
    except (OSError, OverflowError) as error:
        raise QAError(f"Nothing can be served at {host}:{port} ({error}). Name another with --host, --port.") from error
