"""The tables."""

from app.metadata import OPEN as OPEN
from app.metadata import metadata as metadata
from app.models.accounts import admin_keys as admin_keys
from app.models.accounts import audit as audit
from app.models.accounts import people as people
from app.models.accounts import sessions as sessions
from app.models.carrying import backfills as backfills
from app.models.carrying import batch_rows as batch_rows
from app.models.carrying import effects as effects
from app.models.carrying import events as events
from app.models.carrying import links as links
from app.models.carrying import looks as looks
from app.models.carrying import transfer_log as transfer_log
from app.models.carrying import work as work
from app.models.companies import connections as connections
from app.models.companies import cursors as cursors
from app.models.companies import grants as grants
from app.models.companies import invitations as invitations
from app.models.companies import outages as outages
from app.models.companies import tokens as tokens
from app.models.telling import alarms as alarms
from app.models.telling import mails as mails
from app.models.telling import processes as processes
