"""The list of the worked examples for people: `python -m tests.sync.case_index` writes it anew."""

from pathlib import Path

from tests.sync.case_files import CASES, read

README = CASES / "README.md"
HEADINGS = {
    "invoice": "Customer invoices and credit notes, Severa → Fortnox",
    "payment": "Payments, Fortnox → Severa",
    "customer": "Customers, both ways",
    "product": "Products, work types and travel expenses, both ways",
    "project": "Projects, Severa → Fortnox",
    "project_fee": "Project fees from supplier invoices, Fortnox → Severa",
}
MARK = "<!-- The lists below are made of the folders. -->"


def lists() -> str:
    """Every folder with its own first sentence."""
    parts = []
    for entity, heading in HEADINGS.items():
        folders = sorted(one for one in (CASES / entity).iterdir() if one.is_dir())
        lines = [f"- [{one.name}]({entity}/{one.name}): {about(one)}" for one in folders]
        parts.append("\n".join((f"## {heading}", "", *lines)))
    return "\n\n".join(parts) + "\n"


def about(folder: Path) -> str:
    both = (read(folder / name).get("about", "") for name in ("severa.json", "fortnox.json"))
    return next(filter(None, both), "")


if __name__ == "__main__":
    before = README.read_text("utf-8").partition(MARK)[0]
    README.write_text(f"{before}{MARK}\n\n{lists()}", "utf-8")
