"""A first fleet file from what is there already: machines seen in other tools' files, and guesses that are said aloud. Pure."""

from seatrial.fleetfile.first.guessing import guess
from seatrial.fleetfile.first.seen import Drafted, Found, Guess, Left, Machine
from seatrial.fleetfile.first.writing import ssh_config_of, written

__all__ = ["Drafted", "Found", "Guess", "Left", "Machine", "guess", "ssh_config_of", "written"]
