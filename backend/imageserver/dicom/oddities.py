"""What a walk over the elements of a data set stepped over, and the findings that say it."""

from dataclasses import dataclass

from imageserver.dicom.limits import Finding


@dataclass
class Oddities:
    """What was tolerated in the structure of one data set.

    Attributes
    ----------
    padding : int
        Number of zero bytes behind the last element.
    trailing : int
        Number of bytes behind complete pixel data that are no elements.
    is_pad_byte_missing : bool
        The file ends one byte before the even end of native pixel data.
    is_delimiter_missing : bool
        The file ends with the last whole fragment of pixel data, or inside the delimiter behind it.
    has_open_items : bool
        An item of undefined length ended with its sequence, without a delimiter of its own.
    has_long_private_value : bool
        A private value is longer than the limit; it is not to be loaded.
    has_broken_sequence : bool
        A sequence of defined length whose inside makes no sense was stepped over.
    """

    padding: int = 0
    trailing: int = 0
    is_pad_byte_missing: bool = False
    is_delimiter_missing: bool = False
    has_open_items: bool = False
    has_long_private_value: bool = False
    has_broken_sequence: bool = False

    def findings(self) -> list[Finding]:
        """Say what was tolerated."""
        said = (
            (self.padding, "trailing_padding", f"{self.padding} zero bytes follow the data set."),
            (
                self.trailing,
                "trailing_data",
                f"{self.trailing} bytes that are not DICOM follow the pixel data.",
            ),
            (self.is_pad_byte_missing, "missing_pad_byte", "The pad byte behind the pixel data is missing."),
            (
                self.is_delimiter_missing,
                "missing_delimiter",
                "The delimiter behind the pixel data is missing; all frames are whole.",
            ),
            (
                self.has_open_items,
                "missing_item_delimiter",
                "An item of a sequence has no delimiter of its own.",
            ),
            (
                self.has_long_private_value,
                "long_private_value",
                "A private value is longer than the limit and was left out.",
            ),
            (
                self.has_broken_sequence,
                "broken_sequence",
                "A sequence is damaged inside and was left out.",
            ),
        )
        return [Finding(code, message) for is_there, code, message in said if is_there]
