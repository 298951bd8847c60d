"""Places a Command can be run from: this machine, its namespaces, SSH hosts, simulated hosts. Not: what is asked."""
