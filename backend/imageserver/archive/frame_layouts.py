"""Where frames stand that leave without decoding, remembered by file."""

import threading
from collections import OrderedDict

from imageserver.archive.volumes import InstanceFile
from imageserver.dicom.fragment_layout import FragmentLayout
from imageserver.dicom.frame_forms import Form
from imageserver.dicom.native_layout import NativeLayout

MAX_WEIGHT = 20_000  # layouts, of about 400 bytes; those of many fragments count for several

Layout = NativeLayout | FragmentLayout


class FrameLayouts:
    """Layouts of files, by what a changed file is told from the one that was read; safe to use from many threads."""

    def __init__(self, max_weight: int = MAX_WEIGHT) -> None:
        self._max_weight = max_weight
        self._lock = threading.Lock()
        self._layouts: OrderedDict[tuple[InstanceFile, Form], Layout] = OrderedDict()
        self._weight = 0

    def recall(self, file: InstanceFile, form: Form) -> Layout | None:
        """Return what is remembered of a file for a form."""
        with self._lock:
            if (layout := self._layouts.get((file, form))) is not None:
                self._layouts.move_to_end((file, form))
            return layout

    def keep(self, file: InstanceFile, form: Form, layout: Layout) -> None:
        """Remember a layout; what was asked for least lately goes."""
        with self._lock:
            before = self._layouts.pop((file, form), None)
            self._weight += layout.weight - (before.weight if before else 0)
            self._layouts[(file, form)] = layout
            while self._weight > self._max_weight:
                _, dropped = self._layouts.popitem(last=False)
                self._weight -= dropped.weight
