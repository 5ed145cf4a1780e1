"""Blocks of private elements and who reserved them, in data sets of the DICOM JSON model (PS3.5 7.8.1)."""

from imageserver.dicom.json_values import Json

_FIRST_BLOCK, _LAST_BLOCK = 0x10, 0xFF


class PrivateBlocks:
    """The private blocks of one data set; those of its items are their own."""

    def __init__(self, dataset: Json) -> None:
        self._dataset = dataset
        self._blocks: dict[tuple[str, str], str] = {}
        self._creators: dict[str, str] = {}
        for key in sorted(dataset):
            if is_private_key(key) and _FIRST_BLOCK <= int(key[4:], 16) <= _LAST_BLOCK:
                self._know(key, dataset[key])

    def _know(self, key: str, attribute: Json) -> None:
        creator = next(iter(attribute.get("Value", ())), None)
        if isinstance(creator, str) and creator:
            self._creators[key[:4] + key[6:]] = creator
            self._blocks.setdefault((key[:4], creator), key[6:])

    def normalized(self, key: str) -> tuple[str, str]:
        """Return the tag of an attribute as ``gggg00ee`` with its private creator (PS3.19 A.1.5).

        As it is, where it is none of a private block; with its block, where the creator has reserved several.
        """
        creator = self._creators.get(key[:6], "") if is_private_key(key) else ""
        is_only = self._blocks.get((key[:4], creator)) == key[4:6]
        return (f"{key[:4]}00{key[6:]}" if creator and is_only else key), creator

    def key(self, tag: str, creator: str) -> str:
        """Return the tag of a private attribute in this data set; its block is reserved where it is not yet.

        Raises
        ------
        ValueError
            If the group has no block left.
        """
        if tag[4:6] != "00":
            return tag
        group = tag[:4]
        block = self._blocks.get((group, creator)) or self._reserve(group, creator)
        return group + block + tag[6:]

    def _reserve(self, group: str, creator: str) -> str:
        for number in range(_FIRST_BLOCK, _LAST_BLOCK + 1):
            key = f"{group}{number:04X}"
            if key not in self._dataset:
                self._dataset[key] = {"vr": "LO", "Value": [creator]}
                self._know(key, self._dataset[key])
                return key[6:]
        raise ValueError("all private blocks of a group are reserved")


def is_private_key(key: str) -> bool:
    """Tell whether a tag in eight hexadecimal digits is private."""
    return int(key[3], 16) % 2 == 1
