"""How the reader is made: data preparation, training, evaluation, export. Nothing here is needed to answer."""
