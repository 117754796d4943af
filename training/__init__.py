"""How the reader is made: data preparation, training, evaluation, export. Nothing here is needed to answer."""

import qa.network  # noqa: F401 (imported before OpenVINO, it keeps that from reporting its use over the network)
