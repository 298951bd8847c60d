"""The driver `drbd-nfs`: DRBD, file systems, a service address and the kernel's NFS server by hand.

What is in: the Commands (batches.py), what hosts say (facts.py), what refuses a move (refusals.py), what is next (steps.py)
and what must hold afterwards (proof.py), together in driver.py. The script on the hosts is onhost/drbd-nfs.sh.
"""
