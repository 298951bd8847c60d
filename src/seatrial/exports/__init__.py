"""What NFS servers should serve beside what they do: read, compared, and what may be changed. Pure."""
