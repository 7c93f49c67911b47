"""Files in Fortnox's inbox and archive, and what ties them to an invoice."""

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from app.fortnox.shape import OptionalText, Shape, Text


class File(Shape):
    """`id` names it in the inbox, `archive_file_id` to what it is attached to."""

    id: Text
    name: Text
    archive_file_id: OptionalText = None


class Folder(Shape):
    files: tuple[File, ...] = ()


class Attachment(BaseModel):
    """A file on a customer invoice; this part of Fortnox writes its names another way."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)

    id: Text
    file_id: Text
