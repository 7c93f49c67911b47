"""What every process of the bridge stands on: settings, database, keys, and who is connected."""

from dataclasses import dataclass

from app import clock, keys, migrating
from app.clock import Clock
from app.connections import Directory
from app.db import Database
from app.settings import Settings
from app.vault import Vault


@dataclass(frozen=True)
class Hall:
    settings: Settings
    db: Database
    vault: Vault
    directory: Directory
    keys: keys.Keys
    clock: Clock


def open_hall(settings: Settings, *, now: Clock = clock.now, pool_size: int = 8) -> Hall:
    """Connects, makes missing keys and brings the tables up to date."""
    made = keys.ensure(settings)
    db = Database(settings.database_url, pool_size=pool_size)
    migrating.upgrade(db, settings.var_dir)
    vault = Vault(made.encryption)
    return Hall(settings, db, vault, Directory(db, vault), made, now)
