"""The web page: `python app.py` is `qa serve`, with the same options."""

import sys

from qa.cli import main

if __name__ == "__main__":
    main(["serve", *sys.argv[1:]])
