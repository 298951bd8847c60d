"""Moving a service between its peers. Pure: the Commands that do it and the reading of what they say."""
