"""The guids that every sandbox has from birth, so that settings and tests can name them."""


def fixed(kind: str, number: int | str) -> str:
    """Two hexadecimal digits for the kind, then a number: readable in a log."""
    return f"{kind}000000-0000-4000-8000-{number:0>12}"


DRAFT = fixed("55", 1)
TRANSFER = fixed("55", 2)
RECEIVED = fixed("55", 3)
PAID = fixed("55", 4)
ERROR = fixed("55", 5)

USER = fixed("5b", 1)
SECOND_USER = fixed("5b", 2)
ORGANIZATION = fixed("0a", 1)
COMPANY = fixed("0b", 1)
