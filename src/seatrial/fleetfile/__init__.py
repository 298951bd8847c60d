"""The fleet file: text to Fleet, every mistake at once. What is in: YAML with places, and the rules between entries.

What is not: the shape of an entry (model/fleet.py). All of it is pure but load.py, which reads the file.
"""

from seatrial.fleetfile.describe import reference, schema
from seatrial.fleetfile.load import load
from seatrial.fleetfile.mistake import Mistake, Place
from seatrial.fleetfile.parsing import examine, parse, parse_bytes

__all__ = ["Mistake", "Place", "examine", "load", "parse", "parse_bytes", "reference", "schema"]
