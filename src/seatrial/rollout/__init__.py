"""Rollouts, decided purely: Events fold into state, and state with facts gives the next Action."""
