"""Projects, Severa → Fortnox: Severa is always the master.

A sales case is a project that is not won yet, and goes over when it is. Fortnox's projects have no
cost centre: what is known of it is kept for the rows of invoices.
"""

from app.errors import Blocked, Missing, NothingToDo, because
from app.fortnox import schemas as fortnox
from app.fortnox.text import cut
from app.links import Link
from app.severa import schemas as severa
from app.sync.register import Record, Register, carry_over, is_there, known_link, name_it
from app.sync.sides import Sides
from app.worklist import Item

LONGEST_DESCRIPTION = 50
WON = "Won"


def sync(sides: Sides, item: Item) -> Link:
    try:
        project = sides.severa.project(item.key)
    except Missing as error:
        raise NothingToDo(because("severa_record_gone", kind="project")) from error
    name_it(sides, item, project.number, project.name)
    if known_link(sides, "project", item.key) is None and not is_won(sides, project):
        raise NothingToDo(because("project_not_won", project=project.name))
    content = translate(project)
    number = content.project_number
    register = Register(
        "project",
        "ProjectNumber",
        read=sides.fortnox.project,
        create=sides.fortnox.create_project,
        update=sides.fortnox.update_project,
        taken=because("project_number_shared", number=number, project=project.name),
        is_there=lambda guid: is_there(sides.severa.project, guid),
    )
    unit = project.business_unit.code if project.business_unit else None
    record = Record(item.key, number, project.name, content, {"business_unit": unit})
    return carry_over(sides, item, register, record)


def is_won(sides: Sides, project: severa.Project) -> bool:
    """The sales status names its type, and only the type says whether that is won.

    A project without a sales status was never a sales case.
    """
    kind = project.sales_status.sales_status_type_guid if project.sales_status else None
    if not kind:
        return True
    return sides.registers.get(f"sales_state:{kind}", lambda: _state(sides, kind)) in (WON, None)


def _state(sides: Sides, kind: str) -> str | None:
    """None for a type that Severa no longer has."""
    try:
        return sides.severa.sales_state(kind)
    except Missing:
        return None


def translate(project: severa.Project) -> fortnox.ProjectIn:
    if project.number is None:
        raise Blocked(because("project_number_missing", project=project.name))
    number = str(project.number)
    return fortnox.ProjectIn(
        project_number=number,
        description=cut(project.name, LONGEST_DESCRIPTION) or number,
        status="COMPLETED" if project.is_closed else "ONGOING",
        start_date=project.start_date,
        end_date=project.closed_date if project.is_closed else project.deadline,
    )
