"""Files of other tools to checks of a fleet file. What is in: goss and blackbox_exporter, and what could not be carried over.

What is not: checklists, whose room is on the floor above (checklist/imported.py), and reading from disk. All of it is pure.
"""

from seatrial.fleetfile.imported.blackbox import from_blackbox
from seatrial.fleetfile.imported.draft import Draft, Imported, Remark
from seatrial.fleetfile.imported.goss import from_goss
from seatrial.fleetfile.imported.writing import written

__all__ = ["Draft", "Imported", "Remark", "from_blackbox", "from_goss", "written"]
