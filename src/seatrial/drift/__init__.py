"""What would the next boot, restart or failover of a host change. Pure: what a host said goes in, findings come out."""
