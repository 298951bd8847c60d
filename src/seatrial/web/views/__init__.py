"""What each page shows, as plain documents: the same for a page and for its `.json`. No HTML, no HTTP."""
