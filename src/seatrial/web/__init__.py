"""What others read over HTTP: so far the figures of a watch. Not: what the figures are, which the report room says."""
