"""The lab: a platform of real Debian kernels on one machine, to try any of the rest.

What is in: the image, the wires, the virtual machines, their faults, and the one object (`seatrial.lab.lab.Lab`) that
the command line and the engine use. What is not: any trial of a kernel.
"""
