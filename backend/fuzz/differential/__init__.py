"""The same generated requests to two DICOMweb servers over the same files: where do their answers differ?

``python -m fuzz.differential OURS PEER`` compares this server with any other, by the addresses of their DICOMweb
services, and prints the classes of differences with an example of each. Which of the two is right is for the reader
and PS3.18 to say.
"""
