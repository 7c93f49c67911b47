"""Gathers the pages of the site into a folder: docs/, what lies beside it, and the API's reference.

A link to a file of the repository that is no page becomes its path; one that leads nowhere ends it.
"""

import json
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from app.hall import open_hall
from app.main import build
from app.settings import Settings

ROOT = Path(__file__).parent.parent.parent
PAGES = {ROOT / "README.md": "index.md", ROOT / "CHANGELOG.md": "changes.md"}
PAGES |= {ROOT / "CONTRIBUTING.md": "contributing.md"}
PAGES |= {path: path.name for path in sorted((ROOT / "docs").glob("*.md"))}
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?://|mailto:|#)([^)#\s]+)(#[^)]*)?\)")
REDIS_NOWHERE = "redis://127.0.0.1:9/0"


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.md"):
        old.unlink()
    for path, name in PAGES.items():
        (folder / name).write_text(linked(path), "utf-8")
    shutil.copytree(ROOT / "docs" / "pictures", folder / "pictures", dirs_exist_ok=True)
    (folder / "api.md").write_text(reference(openapi()), "utf-8")
    print(f"{len(PAGES) + 1} pages in {folder}")


def linked(page: Path) -> str:
    def link(match: re.Match[str]) -> str:
        words, where, anchor = match[1], (page.parent / match[2]).resolve(), match[3] or ""
        if not where.exists():
            sys.exit(f"{page.relative_to(ROOT)}: {match[2]} does not exist")
        if where in PAGES:
            return f"[{words}]({PAGES[where]}{anchor})"
        shown = f"`{where.relative_to(ROOT)}`"
        return shown if words.strip("`") in shown else f"{words} ({shown})"

    # The README names pictures from above; beside the other pages it names them as they do.
    return LINK.sub(link, page.read_text("utf-8")).replace("](docs/pictures/", "](pictures/")


def openapi() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            database_url=f"sqlite:///{folder}/bridge.db", var_dir=Path(folder), admin_key="shown"
        )
        hall = open_hall(settings)
        described: dict[str, Any] = json.loads(json.dumps(build(hall, REDIS_NOWHERE).openapi()))
        hall.db.close()
    return described


def reference(described: dict[str, Any]) -> str:
    lines = ["# API reference", "", "Made from the OpenAPI document that every installation serves"]
    lines += ["at `/api/v1/openapi.json`; `/api/v1/docs` shows it with all shapes.", ""]
    for path, calls in described["paths"].items():
        for method, call in calls.items():
            lines += [f"## {method.upper()} {path}", "", call.get("description", "").strip(), ""]
            lines += table("Parameter", parameters(call)) + table("Answer", answers(call))
    return "\n".join(lines)


def parameters(call: dict[str, Any]) -> list[tuple[str, str]]:
    found = call.get("parameters", [])
    return [(f"`{one['name']}` ({one['in']})", one.get("description", "")) for one in found]


def answers(call: dict[str, Any]) -> list[tuple[str, str]]:
    return [(code, one.get("description", "")) for code, one in call.get("responses", {}).items()]


def table(what: str, rows: list[tuple[str, str]]) -> list[str]:
    if not rows:
        return []
    cells = [(left, " ".join(right.split()).replace("|", "\\|")) for left, right in rows]
    return [f"| {what} | |", "|---|---|", *(f"| {left} | {right} |" for left, right in cells), ""]


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
