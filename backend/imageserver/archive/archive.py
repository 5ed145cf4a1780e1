"""The archive of one server process: folder, index, and the thread that keeps the index."""

from imageserver.archive.catalogue import Catalogue
from imageserver.archive.files import DataDirectory
from imageserver.archive.watching import IndexKeeper
from imageserver.database import Database
from imageserver.settings import Settings


class Archive:
    """What the API asks. Nothing runs before `start`."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self.directory = DataDirectory(settings.data_dir)
        self.catalogue = Catalogue(database)
        self.keeper = IndexKeeper(database, self.directory, self.catalogue)

    def start(self) -> None:
        """Begin to keep the index; returns at once."""
        self.keeper.start()

    def stop(self) -> None:
        """Stop keeping the index."""
        self.keeper.stop()
