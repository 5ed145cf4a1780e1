"""What routes ask for by annotation."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.orm import Session

from imageserver.archive.archive import Archive
from imageserver.database import Database
from imageserver.settings import Settings


def get_settings(request: Request) -> Settings:
    """Return the settings that the application was made with."""
    settings: Settings = request.app.state.settings
    return settings


def get_database(request: Request) -> Database:
    """Return the database of the application."""
    database: Database = request.app.state.database
    return database


# As dependencies these two are coroutines: a function would go through a thread, which takes longer than some answers.
async def provide_settings(request: Request) -> Settings:
    """Return the settings that the application was made with."""
    return get_settings(request)


async def provide_database(request: Request) -> Database:
    """Return the database of the application."""
    return get_database(request)


async def get_archive(request: Request) -> Archive:
    """Return the archive of the application."""
    archive: Archive = request.app.state.archive
    return archive


async def get_now(request: Request) -> datetime:
    """Return the present time by the application's clock."""
    now: datetime = request.app.state.clock()
    return now


def get_reading_session(request: Request) -> Iterator[Session]:
    """Open a transaction that only reads."""
    with get_database(request).reading() as session:
        yield session


def get_writing_session(request: Request) -> Iterator[Session]:
    """Open a transaction that is committed before the answer leaves, or rolled back."""
    with get_database(request).writing() as session:
        yield session


Now = Annotated[datetime, Depends(get_now)]
SettingsDep = Annotated[Settings, Depends(provide_settings)]
ArchiveDep = Annotated[Archive, Depends(get_archive)]
DatabaseDep = Annotated[Database, Depends(provide_database)]
# Function scope: a plain dependency would end, and commit, after the answer was sent.
ReadingSession = Annotated[Session, Depends(get_reading_session, scope="function")]
WritingSession = Annotated[Session, Depends(get_writing_session, scope="function")]
