"""The options that most commands share."""

from typing import Annotated, Literal

import typer

MOST = "At most so many."

Source = Literal["severa", "fortnox"]

Name = Annotated[str, typer.Argument(metavar="CONNECTION", help="The name of the connection.")]
Url = Annotated[str, typer.Option(help="Where the bridge answers; by default PUBLIC_URL.")]
Key = Annotated[
    str, typer.Option(help="The admin key; by default that of this installation.", metavar="KEY")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
From = Annotated[Source, typer.Option(help="Who is said to be sending.")]
States = Annotated[list[str] | None, typer.Option("--state", help="May be repeated.")]
Kinds = Annotated[list[str] | None, typer.Option("--kind", help="May be repeated.")]
Words = Annotated[str, typer.Option("-q", "--q", help="A part of a number, a name or a reason.")]
