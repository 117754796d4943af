"""The web page: a question box, the cited answer, and the document it stands in.

examples   questions made from the indexed documents, and shown once they have been asked and answered
parts      answers and passages as escaped HTML
source     a document beside the answer, open at a place; pane gives its pages and the original
uploads    files that people send: safe names, archives, what can be read
catalogue  the documents as a list, in figures, and what became of them
changes    adding, removing, bringing the index up to date
library    the tab of the documents
judging    the tab on which the evaluation is run
asking     the tab on which questions are asked
components what these tabs share
service    what the page works with
layout     the page itself, and the endpoints for programs
"""

from __future__ import annotations

import ipaddress
import os
import socket

from qa.errors import QAError
from qa.page.service import Service

DEFAULT_HOST = "127.0.0.1"
"""Only this machine: what is asked and what the documents say is nobody else's business."""

DEFAULT_PORT = 7860


def serve(service: Service, host: str = DEFAULT_HOST, port: int = DEFAULT_PORT, without_password: bool = False) -> None:
    """Show the page until interrupted.

    A name and a password are asked for when `QA_USER` and `QA_PASSWORD` are set. Raises QAError when the page cannot be
    served there, and for an address that others can reach when neither they nor `without_password` are given.
    """
    check_address(host, port)
    login = check_access(host, without_password)
    from qa.page.layout import launch, page  # gradio takes seconds to import

    blocks = page(service)
    print(f"The page is at {launch(blocks, service.pipeline, host, port, login)} (Ctrl+C ends it)", flush=True)
    blocks.block_thread()


def check_access(host: str, without_password: bool) -> tuple[str, str] | None:
    """The name and password that the environment sets. Raises QAError where they are needed and missing."""
    user, password = os.environ.get("QA_USER"), os.environ.get("QA_PASSWORD")
    if user and password:
        return user, password
    if user or password:
        raise QAError("Of QA_USER and QA_PASSWORD only one is set: set both, or neither.")
    if not is_loopback(host) and not without_password:
        raise QAError(
            f"At {host} other machines can reach the page, and with it all that the documents say. Set QA_USER and "
            "QA_PASSWORD, leave --host out, or say --without-password."
        )
    return None


def is_loopback(host: str) -> bool:
    """Whether an address reaches this machine alone; a name that means nothing does not."""
    try:
        found = {str(entry[4][0]).split("%")[0] for entry in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError):
        return False
    return bool(found) and all(ipaddress.ip_address(address).is_loopback for address in found)


def check_address(host: str, port: int) -> None:
    """Raises QAError where nothing can be served, before anything slow is begun."""
    try:
        family = socket.getaddrinfo(host, None)[0][0]
        with socket.socket(family) as bound:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind((host, port))
    except (OSError, OverflowError) as error:
        raise QAError(f"Nothing can be served at {host}:{port} ({error}). Name another with --host, --port.") from error
