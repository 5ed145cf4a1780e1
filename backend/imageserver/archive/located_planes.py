"""The planes that the stacks of a series can be cut in, and where the slices are that one is cut from."""

from dataclasses import dataclass

from imageserver.archive.catalogue import Catalogue
from imageserver.archive.files import DataDirectory
from imageserver.archive.slice_lists import ListedSlice, SliceList, list_slices
from imageserver.archive.volumes import InstanceFile, Volume
from imageserver.archive.voxel_files import FrameSource
from imageserver.dicom.arrangement import Stack, Verdict
from imageserver.dicom.plane_refusals import Refusal, describe_planes
from imageserver.dicom.planes import Grid, Plane, PlaneName, grid_of
from imageserver.dicom.reading import FileRefused, read_header
from imageserver.errors import AppError, FileGone, NotAVolume, SliceNotFound

RESLICING_VERSION = "1"  # to be raised whenever the same slices give other pictures

Planes = dict[PlaneName, Plane]


@dataclass(frozen=True)
class LocatedPlane:
    """A plane that was asked for, and the slices that it is cut from.

    `digest` changes whenever one of the slices does.
    """

    stack: Stack
    grid: Grid
    plane: Plane
    index: int
    sources: tuple[FrameSource, ...]
    digest: str

    @property
    def middle(self) -> FrameSource:
        """The slice whose window holds for all."""
        return self.sources[len(self.sources) // 2]


class PlaneCatalogue:
    """Answers from the index; of the files only a header is read, once for each size."""

    def __init__(self, directory: DataDirectory, catalogue: Catalogue, most_voxels: int) -> None:
        self._directory = directory
        self._catalogue = catalogue
        self._most_voxels = most_voxels

    def describe(self, volume: Volume) -> list[Planes | Refusal]:
        """Describe the planes of each stack of a series, or say why it has none."""
        key = ("planes", volume.summary.series_instance_uid)
        return self._catalogue.remember(key, lambda: self._describe(volume), of=volume)

    def locate(
        self, volume: Volume, stack: int | None, name: PlaneName, index: int | None, position_mm: float | None
    ) -> LocatedPlane:
        """Find a plane: by its index, else the one nearest to a position, else the middle one.

        Raises
        ------
        NotAVolume
            If the stack cannot be cut; `reason` is the code of the refusal.
        SliceNotFound
            If there is no such stack, or no such plane.
        FileGone
            If a slice was removed just now.
        """
        number = _number_of(volume, stack)
        found = self.describe(volume)[number]
        if isinstance(found, Refusal):
            raise _not_a_volume(found)
        plane, chosen_stack = found[name], volume.arrangement.stacks[number]
        place = _place_of(plane, index, position_mm)
        key = ("slices", volume.summary.series_instance_uid, number)
        slices = self._catalogue.ask_once(
            key, lambda session: list_slices(session, volume, number), of=volume
        )
        digest = f"{slices.version}-{RESLICING_VERSION}"
        return LocatedPlane(chosen_stack, grid_of(chosen_stack), plane, place, _sources(slices), digest)

    def _describe(self, volume: Volume) -> list[Planes | Refusal]:
        is_localizer = volume.arrangement.verdict is Verdict.LOCALIZER
        photometric: dict[tuple[int, int], str | None] = {}
        found = []
        for stack in volume.arrangement.stacks:
            described = describe_planes(stack, None, self._most_voxels, is_localizer=is_localizer)
            if not isinstance(described, Refusal):
                size = stack.rows, stack.columns  # what has one size is grey or in colour alike
                if size not in photometric:
                    photometric[size] = self._photometric_interpretation(stack)
                described = describe_planes(stack, photometric[size], self._most_voxels)
            found.append(described)
        return found

    def _photometric_interpretation(self, stack: Stack) -> str | None:
        """Return that of the middle slice; None where its file cannot be read, which is told when it is shown."""
        try:
            file = self._catalogue.instance(stack.frames[stack.count // 2])
            with self._directory.open(file.path, file.identity) as stream:
                image = read_header(stream).image
        except (AppError, FileRefused):
            return None
        return image.photometric_interpretation if image else None


def _sources(found: SliceList) -> tuple[FrameSource, ...]:
    return tuple(FrameSource(_file(one), one.frame.frame_number) for one in found.slices)


def _file(one: ListedSlice) -> InstanceFile:
    if one.file is None:  # removed between two questions
        raise FileGone("The file of a slice is not in the data directory any more.")
    return one.file


def _number_of(volume: Volume, stack: int | None) -> int:
    arrangement = volume.arrangement
    count = len(arrangement.stacks)
    if stack is not None and not 0 <= stack < count:
        raise SliceNotFound(f"Stack {stack} was asked for; there are {count}, counted from 0.")
    if stack is not None:
        return stack
    if not count:
        raise _not_a_volume(Refusal("not_a_volume", "The images do not say where in the patient they lie."))
    middle = arrangement.middle
    return 0 if middle is None or middle.stack is None else middle.stack


def _not_a_volume(refusal: Refusal) -> NotAVolume:
    return NotAVolume(f"No other planes can be shown. {refusal.message}", reason=refusal.code)


def _place_of(plane: Plane, index: int | None, position_mm: float | None) -> int:
    if index is None and position_mm is not None:
        found, asked = plane.nearest_index(position_mm), f"The plane at {position_mm:g} mm"
    else:
        found = plane.count // 2 if index is None else index
        asked = f"Plane {found}"
    if 0 <= found < plane.count:
        return found
    first, last = plane.position_mm(0), plane.position_mm(plane.count - 1)
    raise SliceNotFound(
        f"{asked} was asked for; there are {plane.count} {plane.name.value} planes, counted from 0, "
        f"from {first:g} to {last:g} mm."
    )
