"""`python -m app.cli`, where the console command is not on the path."""

from app.cli import main

main()
