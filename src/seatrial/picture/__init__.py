"""A picture of good against candidate: values in, drawing out as SVG, PNG or lines of a terminal."""
