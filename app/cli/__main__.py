"""`python -m app.cli`: the same as `bridge`."""

from app.cli import main

main()
