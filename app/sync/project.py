"""Projects, Severa → Fortnox: Severa is always the master."""

from app.errors import Blocked, Missing, NothingToDo, because
from app.fortnox import schemas as fortnox
from app.fortnox.text import cut
from app.links import Link
from app.severa import schemas as severa
from app.sync.register import Record, Register, carry_over
from app.sync.sides import Sides
from app.worklist import Item

LONGEST_DESCRIPTION = 50


def sync(sides: Sides, item: Item) -> Link:
    try:
        project = sides.severa.project(item.key)
    except Missing as error:
        raise NothingToDo(because("severa_record_gone", kind="project")) from error
    content = translate(project)
    register = Register(
        "project",
        "ProjectNumber",
        read=sides.fortnox.project,
        create=sides.fortnox.create_project,
        update=sides.fortnox.update_project,
    )
    unit = project.business_unit.code if project.business_unit else None
    record = Record(
        item.key, content.project_number, project.name, content, {"business_unit": unit}
    )
    return carry_over(sides, item, register, record)


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
